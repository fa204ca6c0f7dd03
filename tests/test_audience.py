"""Audiences: who fits which condition, whom the rules withhold, what a size can find, and the pages around them."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_access.queries import audience as queries
from data_access.queries import segments
from data_access.queries.audience import LIVES, NEVER, WITHDRAWN, Bought, Conditions
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.power import smallest_lift
from models.reports.audience import Wish, audience, what_shares_find
from tests.tiny import AS_OF, CHAIN, ONLY_A

CHANNELS = ("wechat", "sms")


def candidates(tiny: Snapshot, conditions: Conditions, scope: Scope = CHAIN, as_of: date = AS_OF) -> pd.DataFrame:
    cuts = segments.cuts(CHAIN, tiny.engine, segments.Question(AS_OF)).iloc[0]
    found = queries.candidates(scope, tiny.engine, as_of, conditions, cuts, CHANNELS)
    return found.set_index("customer_no")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (Conditions(), [1, 2, 3, 4, 5, 6]),
        (Conditions(quiet_for=8), [1, 3, 4]),  # last on 5, 12 and 10 March; 5 never bought
        (Conditions(bought=Bought("make-up", days=30)), [1, 3, 6]),
        (Conditions(bought=Bought("make-up", days=30, least=58)), [3, 6]),  # for 30, 90 and 58
        (Conditions(bought=Bought(product_id="P3", none=True)), [3, 5, 6]),
        (Conditions(bought=Bought("make-up", days=30), quiet_for=8), [1, 3]),
        (Conditions(segments=("prospect",)), [5]),
        (Conditions(stages=("introduction",)), [5]),
        (Conditions(tiers=("Gold",)), []),
        (Conditions(birthday_within=366), []),  # nobody's is known
    ],
)
def test_whoever_fits_all_conditions_is_a_candidate(
    tiny_snapshot: Snapshot, conditions: Conditions, expected: list[int]
) -> None:
    assert candidates(tiny_snapshot, conditions).index.tolist() == expected


def test_a_store_knows_its_own_purchases_only(tiny_snapshot: Snapshot) -> None:
    found = candidates(tiny_snapshot, Conditions(bought=Bought("fragrance")), ONLY_A)
    assert found.empty  # 1 and 2 bought theirs in store B
    assert candidates(tiny_snapshot, Conditions(), ONLY_A).index.tolist() == [1, 2, 5, 6]


def test_what_decides_whether_somebody_may_be_contacted(tiny_snapshot: Snapshot) -> None:
    found = candidates(tiny_snapshot, Conditions())
    assert found["agreed_0"].tolist() == [LIVES, LIVES, NEVER, NEVER, NEVER, WITHDRAWN]
    assert found["agreed_1"].tolist() == [WITHDRAWN, NEVER, LIVES, NEVER, NEVER, NEVER]
    assert found["contacts"].to_dict() == {1: 1, 2: 1, 3: 0, 4: 1, 5: 0, 6: 1}  # K1 wrote to four on 1 March
    assert found["days_since"].fillna(-1).tolist() == [15, 0, 8, 10, -1, 5]
    assert not found["is_held_back"].any()  # the window of K1 ended on 12 March
    then = candidates(tiny_snapshot, Conditions(), as_of=date(2026, 3, 10))
    assert then.index[then["is_held_back"]].tolist() == [3]


def test_birthdays_of_leap_years_are_kept_on_the_day_before() -> None:
    assert queries._birthdays(date(2027, 2, 26), 3) == ["02-27", "02-28", "02-29", "03-01"]


def test_every_customer_is_reachable_or_withheld_for_one_reason(tiny_snapshot: Snapshot) -> None:
    report = audience(tiny_snapshot, CHAIN, AS_OF, Wish(Conditions(), CHANNELS, "wechat"))
    assert report.fitting == 6
    assert report.reachable.tolist() == []  # the tiny chain knows nobody's age
    assert dict(report.withheld.itertuples(index=False)) == {"never_given": 3, "withdrawn": 1, "age_unknown": 2}
    assert report.channels.to_dict("list") == {"channel": list(CHANNELS), "agreed": [2, 1], "reachable": [0, 0]}
    assert np.isnan(report.base_share)


def test_the_table_of_shares_is_what_each_of_them_finds() -> None:
    rows = what_shares_find(0.2, 1_000).set_index("held_share")
    assert rows.loc[0.1, ["contacted", "held_back"]].tolist() == [900, 100]
    assert rows.loc[0.1, "smallest_lift"] == smallest_lift(0.2, 900, 100)
    assert rows["smallest_lift"].is_monotonic_decreasing
