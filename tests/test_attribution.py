"""Credit by last touch, reach and overlap of channels: the tiny chain by hand, and what a batch keeps of it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access.queries import attribution as queries
from data_access.queries.attribution import Part
from data_access.snapshot import Snapshot
from models.calc.funnel import wilson
from models.jobs.attribution import JOB
from models.reports import tables
from models.reports.attribution import attribution, over_limit, reached, together
from tests.results_kit import one_job
from tests.tiny import CHAIN, NORTH, NOTHING, ONLY_A, key

FIRST, LAST = date(2025, 3, 1), date(2026, 3, 20)


def test_the_last_touch_whose_time_has_not_run_out_gets_the_order(tiny_snapshot: Snapshot) -> None:
    # Customer 1 opened at 12:00 and 19:00 of 2 March and attended at 17:00. O8 came at 18:00 that day, O9 on the 5th:
    # what was opened had run out after 24 hours, having attended lasts 5 days. O7 came before everything.
    rows = queries.credited(CHAIN, tiny_snapshot.engine, FIRST, LAST)
    assert rows[["order_id", "campaign_id", "channel", "touch"]].astype(str).values.tolist() == [
        ["O8", "K1", "wechat", "attended"],
        ["O9", "K1", "wechat", "attended"],
    ]


def test_stores_credit_their_own_orders_of_their_own_customers(tiny_snapshot: Snapshot) -> None:
    orders = {
        name: queries.credited(scope, tiny_snapshot.engine, FIRST, LAST)["order_id"].tolist()
        for name, scope in {"A": ONLY_A, "north": NORTH, "none": NOTHING}.items()
    }
    assert orders == {"A": ["O8"], "north": ["O8", "O9"], "none": []}


@pytest.mark.parametrize("by", ["campaign_id", "channel"])
def test_credit_is_added_up_with_each_buyer_once(tiny_snapshot: Snapshot, by: queries.By) -> None:
    (row,) = queries.credit(CHAIN, tiny_snapshot.engine, by, FIRST, LAST).to_dict("records")
    assert row[by] == {"campaign_id": "K1", "channel": "wechat"}[by]
    assert (row["credited_orders"], row["credited_buyers"], row["credited_sales"]) == (2, 1, 30 + 205)
    assert np.isnan(row["credited_margin"])  # nobody knows the cost of an order of the tiny chain


@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A, NOTHING])
def test_what_a_batch_keeps_is_what_is_computed(tiny_snapshot: Snapshot, scope: object, tmp_path: Path) -> None:
    with_results = one_job(tiny_snapshot, JOB, tmp_path)
    kept, made = (tables(attribution(snapshot, scope)) for snapshot in (with_results, tiny_snapshot))  # type: ignore[arg-type]
    for name, frame in made.items():
        pd.testing.assert_frame_equal(kept[name], frame, check_dtype=False)
    for part in (Part(), Part(("wechat",)), Part(least=2)):
        lists = [reached(snapshot, scope, 30, part) for snapshot in (with_results, tiny_snapshot)]  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(*lists, check_dtype=False)


def test_everybody_reached_is_in_one_set_of_channels() -> None:
    from models.reports.attribution import _channels, _messages, _sets  # the sums behind three tables

    # 5 by a alone, 2 by b alone, 3 by both, of whom one got 4 messages lately; 1 by a channel without a name
    reach = pd.DataFrame(
        {
            "channel_set": ["a", "b", "a+b", "a+b", ""],
            "lately": [1, 0, 2, 4, 0],
            "customers": [5, 2, 2, 1, 1],
            "unsubscribed": [1, 0, 0, 0, 0],
        }
    )
    sets = _sets(reach)
    assert dict(zip(sets["channel_set"], sets["customers"], strict=True)) == {"a": 5, "a+b": 2 + 1, "b": 2}
    assert sets["customers_share"].sum() == pytest.approx(1)
    none = pd.DataFrame(columns=["channel", "credited_orders", "credited_buyers", "credited_sales", "credited_margin"])
    contacts = pd.DataFrame({"channel": ["a", "b"], "contacts": [5 + 2 + 2, 3 + 2 + 2]})
    channels = _channels(sets, contacts, none).set_index("channel")
    assert channels.loc["a", ["customers", "only_here", "contacts"]].tolist() == [5 + 2 + 1, 5, 5 + 2 + 2]
    assert channels.loc["b", ["customers", "only_here", "contacts"]].tolist() == [2 + 2 + 1, 2, 3 + 2 + 2]
    messages = _messages(reach)
    assert messages["contacts"].tolist() == [1, 2, 4]  # the 2 whom nobody wrote to lately are not among them
    assert over_limit(messages, 1) == 2 + 1
    assert over_limit(messages, 4) == 0


def test_whom_messages_reached_is_listed(tiny_snapshot: Snapshot) -> None:
    # K1 wrote to 1, 2, 4 and 6 on 1 March.
    rows = reached(tiny_snapshot, CHAIN, 30, Part(("wechat",)))
    assert rows["customer_key"].tolist() == [key(1), key(2), key(4), key(6)]
    assert rows["reacted"].tolist() == [1, 1, 0, 0]
    assert reached(tiny_snapshot, ONLY_A, 30, Part())["customer_key"].tolist() == [key(1), key(2)]
    assert reached(tiny_snapshot, CHAIN, 30, Part(least=2)).empty
    assert reached(tiny_snapshot, CHAIN, 10, Part()).empty  # 1 March is more than 10 days ago


def test_who_left_is_counted_of_those_a_message_reached(tiny_snapshot: Snapshot) -> None:
    row = attribution(tiny_snapshot, CHAIN).campaigns.set_index("campaign_id").loc["K1"]
    # delivered to 1, 2 and 4; 5 unsubscribed
    assert (row["delivered"], row["unsubscribed"], row["unsubscribe_rate"]) == (3, 1, 1 / 3)
    lo, hi = wilson(pd.Series([1]), pd.Series([3]))
    assert (row["lo95"], row["hi95"]) == (lo.iloc[0], hi.iloc[0])


def test_caused_buyers_stand_beside_credited_ones(tiny_snapshot: Snapshot) -> None:
    report = attribution(tiny_snapshot, CHAIN)
    row = report.campaigns.set_index("campaign_id").loc["K1"]
    # of 4 treated 2 bought, of 1 held back 1: 4 * (2 / 4 - 1 / 1)
    assert (row["credited_buyers"], row["caused"]) == (1, -2)
    many, credited, caused = together(report.campaigns)
    assert (many, credited, caused.value) == (1, 1, -2)


def test_without_a_day_of_data_there_is_nothing_but_the_rules(tiny_snapshot: Snapshot) -> None:
    empty = replace(tiny_snapshot, info=replace(tiny_snapshot.info, first_day=None, last_day=None))
    found = tables(attribution(empty, CHAIN))
    assert [name for name, frame in found.items() if len(frame)] == ["rules"]
