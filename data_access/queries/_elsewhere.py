"""What the customers of a campaign bought in stores beyond the scope, and when that is too few people to be told."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, and_, func, select

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import campaign
from data_access.queries._frame import values
from data_access.scope import Scope

FEWEST = 5  # customers that a figure about purchases in other stores stands for
_MOST = 1_000  # answers that are kept

# A published file never changes, and a page asks three to five times: campaigns are looked at once.
_Asked = tuple[str, ...] | None  # None: of all campaigns
_KNOWN: WeakKeyDictionary[Engine, dict[tuple[Scope, int, _Asked], list[str]]] = WeakKeyDictionary()


def withheld(scope: Scope, engine: Engine, campaign_ids: Sequence[str] | None = None) -> list[str]:
    """The campaigns (of all unless told) whose purchases these stores are not told: in an arm, 1 to 4 of their
    customers bought in other stores.

    Purchases count for a campaign wherever they were made. From a sum, less what the stores know themselves, could be
    told what one of so few customers spent elsewhere.
    """
    if scope.kind == "chain" or not scope.store_ids:
        return []
    known = _KNOWN.setdefault(engine, {})
    asked = None if campaign_ids is None else tuple(campaign_ids)
    if asked is not None and (every := known.get((scope, FEWEST, None))) is not None:
        return sorted(set(every).intersection(asked))
    found = known.get((scope, FEWEST, asked))
    if found is None:
        if len(known) >= _MOST:
            known.clear()
        found = known[scope, FEWEST, asked] = _few(scope, engine, campaign_ids)
    return found


def _few(scope: Scope, engine: Engine, campaign_ids: Sequence[str] | None) -> list[str]:
    m, c, d = campaign_customer.c, campaign.c, customer_store_day.c
    own = scope.limit(select(d.customer_no, d.day, d.orders), d.store_id).subquery("own")
    here = and_(own.c.customer_no == m.customer_no, own.c.day.between(c.starts_on, c.window_last))
    each = scope.limit(
        select(m.campaign_id, m.arm, (m.orders - func.coalesce(func.sum(own.c.orders), 0)).label("elsewhere"))
        .select_from(campaign_customer.join(campaign, c.campaign_id == m.campaign_id).outerjoin(own, here))
        .where(m.orders > 0)
        .group_by(m.campaign_id, m.customer_no, m.arm, m.orders),
        m.store_id,
    )
    if campaign_ids is not None:
        each = each.where(m.campaign_id.in_(campaign_ids))
    of = each.subquery("each")
    few = (
        select(of.c.campaign_id)
        .where(of.c.elsewhere > 0)
        .group_by(of.c.campaign_id, of.c.arm)
        .having(func.count() < FEWEST)
    )
    return sorted(set(values(scope, engine, few)))
