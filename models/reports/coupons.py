"""Coupons: of one campaign, what was claimed and redeemed, what was left after the discount, who came anyway."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.queries import mechanics as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.coupons import in_own_rhythm
from models.calc.funnel import wilson
from models.reports._kept import Frames, kept_sums
from models.reports._shape import Columns, declared_tables, select_columns

NAME = "coupons"  # of what a batch keeps


@dataclass(frozen=True, slots=True)
class CouponsReport:
    """Customers and orders of the stores in scope. Money in the chain's currency, excluding tax."""

    currency: str
    # one row per coupon: arm: the treated arm that got it, as far as claims and redemptions tell; claimed: customers;
    # redeemed: orders on which it was redeemed, each once however many products the coupon covers; redemption_rate of
    # the claimed, with its Wilson interval; discount_given: on the lines it was used for, other promotions included;
    # net_sales and margin of these orders, discounts and what came back so far taken off (margin: NaN where the cost
    # of one is unknown); known_rhythm: redemptions by customers whose usual gap is known; own_rhythm: of them, those
    # that came when a visit was due anyway
    coupons: Annotated[
        pd.DataFrame,
        Columns(
            "coupon_code arm kind face_value claimed redeemed redemption_rate lo95 hi95 discount_given net_sales "
            "margin known_rhythm own_rhythm"
        ),
    ]


def coupons(snapshot: Snapshot, scope: Scope, campaign: str) -> CouponsReport:
    """The coupons of a campaign; none where it had none or does not exist."""
    kept = kept_sums(snapshot, scope, NAME)
    rows = (added_up(snapshot, scope, campaign) if kept is None else kept)[NAME]
    mine = rows[rows["campaign_id"] == campaign].reset_index(drop=True)
    return CouponsReport(snapshot.info.currency, **select_columns(CouponsReport, coupons=mine))


def added_up(snapshot: Snapshot, scope: Scope, campaign: str | None = None) -> Frames:
    """The table ``coupons`` of one campaign or of all of them, with their campaign_id."""
    known = queries.coupons(scope, snapshot.engine, campaign)
    if known.empty:
        return {NAME: pd.DataFrame(columns=["campaign_id", *declared_tables(CouponsReport)["coupons"]])}
    used = queries.redemptions(scope, snapshot.engine, campaign)
    own = in_own_rhythm(used)
    each = used.assign(known_rhythm=own.notna(), own_rhythm=own.fillna(False).astype(bool))
    sums = each.groupby(["campaign_id", "coupon_code"]).agg(
        redeemed=("order_id", "count"),
        discount_given=("discount", "sum"),
        net_sales=("net_sales", "sum"),
        margin=("margin", lambda margins: margins.sum(skipna=False)),
        known_rhythm=("known_rhythm", "sum"),
        own_rhythm=("own_rhythm", "sum"),
    )
    rows = known.merge(sums, left_on=["campaign_id", "coupon_code"], right_index=True, how="left")
    counts = ["redeemed", "known_rhythm", "own_rhythm"]
    rows[counts] = rows[counts].fillna(0).astype("int64")
    lo, hi = wilson(rows["redeemed"], rows["claimed"])
    rate = rows["redeemed"] / rows["claimed"].where(rows["claimed"] > 0)
    return {NAME: rows.assign(redemption_rate=rate.where(rate <= 1), lo95=lo, hi95=hi)}
