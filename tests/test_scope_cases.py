"""Thousands of drawn questions: what lies outside the scope never makes a difference to an answer.

Every public query function is found by itself and asked under drawn scopes with drawn arguments, ids of other stores'
orders and customers among them, twice: of a chain, and of the same chain with everything outside the scope changed. A
difference is a leak. A new function takes part as soon as each of its parameters can be drawn.
"""

import inspect
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.pseudonym import customer_key
from data_access.queries import profile_quality, segments
from data_access.queries._groups import DIMENSIONS
from data_access.queries.actions import Wanted
from data_access.queries.attribution import Part as Reached
from data_access.queries.audience import Bought, Conditions
from data_access.queries.crossing import GROUPS
from data_access.queries.funnel import GROUPINGS, Walk
from data_access.queries.lapse import KEPT as LAPSE_KEPT
from data_access.queries.run_out import Part as RunOutPart
from data_access.queries.segments import Choice, Question
from data_access.queries.stock import Listed
from data_access.queries.value import KEPT
from data_access.results.tables import kept_frame, team_frame
from data_access.scope import Period, Scope
from tests.test_queries import FUNCTIONS
from tests.two_chains import STORES, build, changed, rows

Draw = random.Random
SEED = 20260320
FIRST, LAST = date(2025, 2, 24), date(2026, 3, 22)
# Answered from every day of every customer where the marts do not hold the answer ready.
SLOW = frozenset(
    {
        *(f"segments.{name}" for name in ("cells", "curve", "cuts", "members", "stages")),
        *("crossing.crossing", "crossing.crossings", "crossing.standings"),
    }
)
# Campaigns count what their customers did wherever they did it: a customer of a campaign belongs to one store.
OF_THEIR_CUSTOMERS = frozenset(
    {
        "allocation.events",
        "allocation.offers",
        "allocation.people",
        "campaign.arms",
        "campaign.before",
        "campaign.buyers",
        "campaign.outcomes",
        "campaign.units",
        "campaign_segments.members",
        "campaigns.funnel_steps",
        "campaigns.step_hours",
    }
)
FORGED = ("", "' OR 1=1 --", "%", "A", "O1\x00", "../../CURRENT")


def period(draw: Draw) -> Period:
    first = FIRST + timedelta(days=draw.randrange((LAST - FIRST).days))
    return Period(first, min(first + timedelta(days=draw.choice((0, 6, 27, 89, 400))), LAST))


def some(draw: Draw, values: tuple[Any, ...], most: int = 4) -> list[Any]:
    return draw.sample(values, draw.randint(1, min(most, len(values))))


ORDERS = tuple(f"O{n}{half}" for n in range(1, 16) for half in ("", "-2")) + FORGED
CUSTOMERS = (1, 2, 3, 4, 5, 6, 102, 104, 106, 999)
STEPS = ("sent", "delivered", "opened", "clicked", "visited", "bought")


def named(draw: Draw) -> segments.Named:
    cuts = {name: draw.choice((None, draw.randint(1, 300))) for name in segments.CUTS}
    return segments.Named(Question(draw.choice((LAST, period(draw).last))), cuts, draw.choice(("prospect", "loyal")))


# parameter -> how to draw one; a function whose parameter means something else has a line of its own
DRAW: dict[str, Callable[[Draw], Any]] = {
    "period": period,
    "compared": period,
    "year": period,
    "why.receipts by": lambda draw: draw.choice(("store_id", "channel", "staff_id", "customers")),
    "why.returned by": lambda draw: draw.choice(("store_id", "channel", "staff_id", "customers", "category")),
    "metric": lambda draw: draw.choice(("orders", "traffic")),
    "metrics": lambda draw: draw.choice(((), ("orders", "traffic"))),
    "stores.bands grain": lambda draw: draw.choice(("day", "week")),
    **{
        f"sales.{name} category": lambda draw: draw.choice(("skin care", "make-up", *FORGED))
        for name in ("category_days", "category_stores")
    },
    "products.movers category": lambda draw: draw.choice((None, "skin care", "make-up")),
    "previous": lambda draw: draw.choice((None, period(draw))),
    "last_year": lambda draw: draw.choice((None, period(draw))),
    "periods": lambda draw: [period(draw) for _ in range(draw.randint(1, 3))],
    "as_of": lambda draw: draw.choice((date(2026, 3, 20), period(draw).last)),
    "first_day": lambda draw: period(draw).first,
    "before": lambda draw: period(draw).first,
    "since": lambda draw: period(draw).first,
    "lately": lambda draw: period(draw).first,
    "first": lambda draw: period(draw).first,
    "last": lambda draw: period(draw).last,
    "order_id": lambda draw: draw.choice(ORDERS),
    "staff_id": lambda draw: draw.choice(("E1", "E2", "E3", *FORGED)),
    "store_id": lambda draw: draw.choice(("A", "B", "D", "nowhere", *FORGED)),
    "product_id": lambda draw: draw.choice(("P1", "P2", "P3", *FORGED)),
    "lot_id": lambda draw: draw.choice(("L1", "L2", *FORGED)),
    "customer_key": lambda draw: draw.choice((*map(customer_key, CUSTOMERS), *FORGED)),
    "campaign_id": lambda draw: draw.choice(("K1", "K2", "K3", "K4", "K5", *FORGED)),
    "campaign_ids": lambda draw: draw.choice((None, some(draw, ("K1", "K2", "K3", "K4", "K5")))),
    "campaign.before campaign_ids": lambda draw: some(draw, ("K1", "K2", "K3", "K4", "K5")),
    "kept_here": lambda draw: None,
    "arms": lambda draw: some(draw, ("gift", "held back", "all", "")),
    "numbers": lambda draw: some(draw, CUSTOMERS),
    "only": lambda draw: draw.choice((None, some(draw, CUSTOMERS))),
    "customers": lambda draw: some(draw, CUSTOMERS),
    "part": lambda draw: draw.choice((None, (0, 2), (1, 2))),
    "most": lambda draw: draw.choice((1, 3, 10)),
    "limit": lambda draw: draw.choice((1, 3, 50)),
    "report": lambda draw: draw.choice(("retention", "flows")),
    "kept.frames table": lambda draw: draw.choice((kept_frame, team_frame)),
    "kept.frames choice": lambda draw: draw.choice(("", "abc")),
    "offset": lambda draw: draw.choice((0, 0, 2)),
    "question": lambda draw: Question(
        draw.choice((date(2026, 3, 20), period(draw).last)),
        draw.choice((None, None, period(draw).first)),
        draw.choice(("net_sales", "gross_sales")),
    ),
    **{
        f"profile_quality.{name} question": lambda draw: profile_quality.Question(
            period(draw).last, draw.choice((period(draw).first, date(2099, 1, 1)))
        )
        for name in ("completeness", "to_fix", "to_fix_count")
    },
    "problem": lambda draw: draw.choice((*profile_quality.KNOWN, *profile_quality.PROBLEMS)),
    "cuts": lambda draw: {name: draw.choice((None, draw.randint(1, 300))) for name in segments.CUTS},
    "tie_rule": lambda draw: draw.choice(("keep_ties", "equal_size")),
    "choice": lambda draw: draw.choice(
        (
            None,
            Choice("abc", "U"),
            Choice("cell", "5-4"),
            Choice("gender", "female", (Choice("five_phase", "decline"),)),
        )
    ),
    "rows": lambda draw: draw.choice(DIMENSIONS[::2]),
    "schemes": lambda draw: draw.sample(tuple(GROUPS), 2),
    "columns": lambda draw: draw.choice(DIMENSIONS[1::2]),
    "category": lambda draw: draw.choice((None, "", "Face", *FORGED)),
    "cohort": period,
    "this": period,
    **dict.fromkeys((f"spending.{name} before" for name in ("bands", "directions", "ready", "steps")), period),
    "lapse.last_stores only": lambda draw: some(draw, CUSTOMERS),
    "month": period,
    "came": lambda draw: draw.choice((True, False)),
    "within": lambda draw: some(draw, (0, 10, 30, 90)),
    "level": lambda draw: draw.choice(("region", "store")),
    "by": lambda draw: draw.choice(("scope", "region", "store")),
    **dict.fromkeys(
        ("preferences.bought groupings", "preferences.habits groupings"),
        lambda draw: draw.choice((["age_band"], ["gender", "city_tier", "tier"])),
    ),
    "preferences.by_month grouping": lambda draw: draw.choice(("age_band", "gender", "city_tier", "tier")),
    "retention.registered by": lambda draw: draw.choice(("source", "store_id")),
    "thing": lambda draw: draw.choice(("category", "benefit")),
    "by_store": lambda draw: draw.choice((True, False)),
    "source": lambda draw: draw.choice((None, "store", *FORGED)),
    "wanted": lambda draw: draw.choice((Wanted(), Wanted(only=(customer_key(1),)), Wanted(without=(customer_key(2),)))),
    "conditions": lambda draw: draw.choice(
        (
            Conditions(),
            Conditions(segments=("new", "loyal"), birthday_within=draw.choice((30, 366))),
            Conditions(stages=("growth", "maturity"), quiet_for=20),
            Conditions(tiers=("Gold",), bought=Bought(draw.choice((None, "Face")), days=300)),
            Conditions(bought=Bought(product_id=draw.choice(("P1", "P2")), least=20.0, none=draw.random() < 0.5)),
        )
    ),
    "channels": lambda draw: some(draw, ("wechat", "sms", "phone")),
    "campaign_table": lambda draw: draw.choice(("arms", "lift", "verdict", "checks", "balance", "stores")),
    **dict.fromkeys((f"demand.ahead_of_products {name}" for name in ("week", "until")), lambda draw: period(draw).last),
    "stock.kept_shelves columns": lambda draw: draw.choice(((), ("store_id", "product_id", "on_hand"))),
    "stock.kept_shelves listed": lambda draw: draw.choice((None, Listed("on_hand", ("product_id", "store_id"), ()))),
    "stock.kept_sums by": lambda draw: draw.choice((("store_id",), ("category", "product_id"))),
    "stock.kept_sums sums": lambda draw: ("on_hand", "free_units"),
    "stock.kept_sums urgent": lambda draw: ("out_of_stock",),
    "demand.sold by": lambda draw: draw.choice(("category", "store_id")),
    "attribution.credit by": lambda draw: draw.choice(("campaign_id", "channel")),
    **dict.fromkeys((f"attribution.{name} ready" for name in ("credit", "reach", "reached")), lambda draw: False),
    **dict.fromkeys(
        (f"run_out.kept_{name} part" for name in ("count", "customers", "days", "due")),
        lambda draw: RunOutPart(FIRST, LAST, draw.choice((None, "Face")), draw.choice((None, (1, 2)))),
    ),
    "attribution.reached part": lambda draw: draw.choice((Reached(), Reached(("wechat",)), Reached(least=2))),
    "campaign_stock.past before": lambda draw: draw.choice((date(2026, 3, 15), LAST)),
    "stock.sold products": lambda draw: some(draw, ("P1", "P2", "P3")),
    "products": lambda draw: draw.choice((None, some(draw, ("P1", "P2", "P3")))),
    "names": lambda draw: ("wechat", "sms"),
    "lapse.kept table": lambda draw: draw.choice(sorted(LAPSE_KEPT)),
    "value.kept table": lambda draw: draw.choice(sorted(KEPT)),
    "cell": lambda draw: draw.choice((None, draw.randrange(12))),
    **{f"campaign_effects.{name} last_day": lambda draw: LAST for name in ("bought", "days", "store_days")},
    **dict.fromkeys(
        (
            *(f"campaign_effects.{name} campaign_ids" for name in ("bought", "members")),
            "customer.coupons campaign_ids",
        ),
        lambda draw: some(draw, ("K1", "K2", "K3", "K4", "K5")),
    ),
    "highest": lambda draw: draw.choice((0, 2**63, 2**64 - 1)),
    "walk": lambda draw: Walk(
        draw.choice(("K1", "K3", "K5")),
        draw.choice((date(2026, 3, 1), period(draw).first)),
        draw.choice((date(2026, 3, 12), LAST)),
        draw.choice((True, False)),
        draw.choice((None, 7)),
        draw.choice((None, "gift")),
    ),
    "segment": lambda draw: draw.choice((None, "prospect", "loyal")),
    "of": lambda draw: draw.choice((None, named(draw))),
    "segments.numbers of": lambda draw: named(draw),
    "funnel.stopped step": lambda draw: draw.choice(STEPS),
    "funnel.walked by": lambda draw: draw.choice((None, *GROUPINGS)),
    "campaigns.step_hours previous": lambda draw: {
        step: draw.choice(("targeted", "sent")) for step in some(draw, STEPS)
    },
}
# Parameters that only hand an answer of the same scope on.
LEFT_OUT = frozenset({"kept", "then"})


def parameters(name: str) -> list[inspect.Parameter]:
    """What a query takes besides scope and engine."""
    every = list(inspect.signature(FUNCTIONS[name]).parameters.values())[2:]
    return [parameter for parameter in every if parameter.name not in LEFT_OUT]


def drawn(name: str, draw: Draw) -> dict[str, Any]:
    """Arguments of a query; what has a default is left to it half of the time."""
    found = {}
    for parameter in parameters(name):
        make = DRAW.get(f"{name} {parameter.name}") or DRAW.get(parameter.name)
        if make is None:
            pytest.fail(
                f"data_access.queries.{name} takes {parameter}, of which nobody can draw one: add "
                f"'{parameter.name}' to DRAW in tests/test_scope_cases.py, so that its scope is tested",
                pytrace=False,
            )
        value = make(draw)
        if parameter.default is inspect.Parameter.empty or draw.random() < 0.5:
            found[parameter.name] = value
    return found


def scopes() -> list[Scope]:
    """Of the 64: none, a region, a store that nobody knows, and one drawn of each size."""
    draw = random.Random(SEED)
    sizes = [draw.choice(list(combinations(STORES, size))) for size in range(1, 6)]
    chosen = [(), ("A", "B"), ("A", "nowhere"), *sizes]
    return [Scope("stores", stores) for stores in chosen]


class Changed:
    """For each scope the chain with everything outside of it changed, built when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.built: dict[tuple[Scope, bool], Engine] = {}

    def chain(self, scope: Scope, *, spare_customers: bool) -> Engine:
        key = scope, spare_customers
        if key not in self.built:
            content = changed(rows(), scope, spare_customers=spare_customers)
            self.built[key] = build(self.folder / f"{len(self.built)}.duckdb", content)
        return self.built[key]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = build(tmp_path_factory.mktemp("chain") / "facts.duckdb", rows())
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    others = Changed(tmp_path_factory.mktemp("changed"))
    yield others
    for engine in others.built.values():
        engine.dispose()


def cases(name: str, scope: Scope, many: int) -> list[dict[str, Any]]:
    """At most ``many`` different arguments."""
    draw = random.Random(f"{SEED} {name} {scope}")
    found = {}
    for _ in range(2 * many):
        arguments = drawn(name, draw)
        found[repr(arguments)] = arguments
    return list(found.values())[:many]


def differences(name: str, chain: Engine, others: Changed, many: int) -> list[str]:
    """Where an answer under a scope changes with what lies outside of it."""
    found = []
    for scope in scopes():
        other = others.chain(scope, spare_customers=name in OF_THEIR_CUSTOMERS)
        for arguments in cases(name, scope, many):
            answer, again = (FUNCTIONS[name](scope, engine, **arguments) for engine in (chain, other))
            try:
                pd.testing.assert_frame_equal(answer, again)
            except AssertionError as difference:
                found.append(f"{name} {scope.store_ids} {arguments}: {difference}")
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_lies_outside_the_scope_changes_no_answer(name: str, chain: Engine, others: Changed) -> None:
    assert differences(name, chain, others, 1 if name in SLOW else 4) == []


def many_more(name: str) -> int:
    """How many cases of a query and a scope the slow test asks."""
    return 3 if name in SLOW else 12


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nor_in_any_of_5000_cases(name: str, chain: Engine, others: Changed) -> None:
    assert differences(name, chain, others, many_more(name)) == []


def test_they_are_5000_cases() -> None:
    assert sum(len(cases(name, scope, many_more(name))) for name in FUNCTIONS for scope in scopes()) >= 5_000


def test_without_limits_the_same_questions_find_the_leak(
    chain: Engine, others: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_access.queries._frame.check", lambda *_: None)
    monkeypatch.setattr(Scope, "limit", lambda scope, query, column: query)
    for name in ("sales.days", "orders.order_header", "places.stores", "customer.timeline"):
        assert differences(name, chain, others, 4) != []


def test_a_query_that_nobody_can_draw_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_colour(scope: Scope, engine: Engine, colour: str) -> pd.DataFrame:
        return pd.DataFrame()

    monkeypatch.setitem(FUNCTIONS, "products.by_colour", by_colour)
    with pytest.raises(pytest.fail.Exception, match="add 'colour' to DRAW in tests/test_scope_cases"):
        drawn("products.by_colour", random.Random(1))
