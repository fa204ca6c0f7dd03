"""Who is compared with the treated of a campaign, and what was known of each the day before."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.calc import alike
from models.calc.alike import Bought, Candidates

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)


def candidates() -> Candidates:
    joined = pd.to_datetime(["2026-02-01", None, "2026-03-01", "2020-01-01", "2026-01-01"])
    rows = {"customer_no": [1, 2, 3, 4, 5], "place": np.array([50, 40, 30, 20, 10], dtype="uint64")}
    return Candidates(pd.DataFrame(rows | {"joined_on": joined, "is_female": [True, False, True, False, False]}))


MEMBERS = pd.DataFrame({"customer_no": [1, 3, 5, 9], "is_treated": [True, True, False, True]})


def test_who_registered_before_and_is_in_no_control_group_is_compared() -> None:
    chosen = candidates().choose(MEMBERS, FIRST)
    assert chosen.customer_no.tolist() == [1, 2, 4]  # 3 registered on the first day, 5 is held back, 9 lives elsewhere
    assert chosen.is_treated.tolist() == [True, False, False]
    assert chosen.member_days.tolist() == [28, 3 * 365, 3 * 365]
    assert chosen.is_female.tolist() == [1, 0, 0]
    assert chosen.highest == 40


def test_so_many_are_drawn_by_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "MOST", 1)
    chosen = candidates().choose(MEMBERS, FIRST)
    assert chosen.customer_no.tolist() == [1, 4]  # of 2 and 4 the one at 20


def test_what_was_known_the_day_before_is_added_up() -> None:
    past = alike.placebo_days(FIRST, LAST)
    assert past == (date(2025, 2, 19), date(2025, 2, 28))
    days = pd.DataFrame(
        [
            (1, past[0], 1, 70_000, 30_000),
            (1, date(2026, 1, 10), 2, 100_000, 40_000),  # 50 days before
            (1, date(2026, 2, 20), 1, 50_000, 20_000),  # 9 days before
            (1, date(2026, 2, 25), 0, -20_000, -5_000),  # brought back
            (2, date(2026, 2, 27), 9, 990_000, 990_000),  # not asked about
            (1, FIRST, 1, 30_000, 10_000),
            (4, LAST, 1, 60_000, 25_000),
        ],
        columns=["customer_no", "day", "orders", "net_sales", "margin"],
    ).sort_values("day", kind="stable")
    days["day"] = pd.to_datetime(days["day"])
    chosen = candidates().choose(MEMBERS, FIRST)
    asked = alike.Chosen(*(getattr(chosen, name)[[0, 2]] for name in _BY_PERSON), chosen.highest)
    found = Bought(days, np.array([1, 4])).known(asked, FIRST, LAST)
    one, other = found.iloc[0], found.iloc[1]
    assert one[["orders_30", "orders_60", "orders_365"]].tolist() == [1, 1 + 2, 1 + 2]
    assert one["spend_365"] == 10 + 5 - 2
    assert one["days_since"] == 9
    assert one[["bought", "spend", "margin"]].tolist() == [1, 3, 1]
    assert one[["past_bought", "past_spend"]].tolist() == [1, 7]
    assert other[["orders_365", "days_since", "bought", "spend", "past_bought"]].tolist() == [0, 366, 1, 6, 0]


_BY_PERSON = ("customer_no", "is_treated", "member_days", "is_female")
