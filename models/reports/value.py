"""Value: what customers have brought, what they will bring, how far that held before, and who they are."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.marts.tables import MONEY_UNIT
from data_access.pseudonym import customer_key as key_of
from data_access.pseudonym import number_of
from data_access.queries import places
from data_access.queries import value as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.results.info import has_current_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import concentration, purchases, spend
from models.calc.likelihood import Estimate
from models.calc.purchases import Histories, Purchases
from models.calc.spend import Spend
from models.calc.value import Ahead, Total, ranges, total_value, total_visits
from models.metrics import METRICS
from models.reports._places import rows_of
from models.reports._shape import Columns, declared_tables, select_columns

HORIZON = 365  # days that an expected value looks ahead
MEMBERS = 50  # of the list, unless told: as many as a page shows
MOST_MEMBERS = 20_000  # of one answer

# What forecasts of single customers need at least; the keys name what is counted.
NEEDED: dict[str, tuple[float, str]] = {
    "buyers": (500, "at_least"),
    "history_days": (180, "at_least"),
    "days_since_last_visit": (30, "at_most"),
    "customers_with_three_visits": (1, "at_least"),
    "model_settled": (1, "at_least"),
}

# By net sales so far: the best fifth, the rest of the better half, the other half.
VALUE_CLASSES = ("top", "middle", "base")
VALUE_QUANTILES = (0.8, 0.5)
# By visits and by how likely the customer still is one (the bands of churn risk).
LOYALTIES = ("active", "uncertain", "fading", "once")
ACTIVE_FROM, FADING_BELOW = 2 / 3, 1 / 3

JOB = "value"  # of the batch, which keeps the report for every place
KEPT = ("readiness", "parameters", "fit", "summary", "concentration", "grid", "value_rule")  # of the last day
SCORES = (
    "customer_no", "cell", "repeat_visits", "recency_days", "age_days", "amount", "net_sales", "probability_active",
    "expected_visits", "expected_value",
)  # fmt: skip
NEXT_VISIT = (0.1, 0.5, 0.9)  # of customers like one will have come by then
CHANCES_WITHIN = (30, 60, 90)  # days
LISTED = ("store_id", "historic_margin")  # what only the list tells

MOST_REPEATS = 7  # of the calibration: whoever came more often is counted there
_CENT = MONEY_UNIT // 100


@dataclass(frozen=True, slots=True)
class Cell:
    """The customers of one value class and one kind of loyalty."""

    value_class: str
    loyalty: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of one customer: figures with their ranges."""

    next_visit_days: tuple[float, float, float]  # half of such customers will have come by then; eight of ten between
    probability_active: float
    chances: tuple[float, ...]  # of a visit within so many days as ``CHANCES_WITHIN`` says
    expected_value: tuple[float, float, float]  # gross sales within the horizon, with 95 %; NaN without a spend model


@dataclass(frozen=True, slots=True)
class _Models:
    """What was fitted; without a spend model only visits can be expected."""

    visits: Estimate[Purchases]
    amounts: Estimate[Spend] | None

    @property
    def spend(self) -> Spend | None:
        return None if self.amounts is None else self.amounts.parameters


@dataclass(frozen=True, slots=True)
class _Ranking:
    """customers: their numbers, highest expected value first; cells: which cell of the grid each is in, row by row."""

    customers: NDArray[np.int64]
    cells: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class ValueReport:
    """Identified customers with a visit to the stores in scope by the end of ``as_of``; visits elsewhere do not count.

    Money in the chain's currency, excluding tax. A visit is a day with an order, one of zero value included. What is
    expected comes from the days up to ``as_of`` alone: days after it, where the data have some, are the holdout.
    Without enough data (``readiness``) the tables of forecasts are empty.
    """

    as_of: date
    horizon_days: int
    currency: str
    # one row per thing that forecasts need: requirement, needed, found, met
    readiness: Annotated[pd.DataFrame, Columns("requirement needed found met")]
    # one row per parameter: bg_nbd r, alpha, a, b (time in weeks) and gamma_gamma p, q, v (money)
    parameters: Annotated[pd.DataFrame, Columns("model name value standard_error lo95 hi95")]
    # one row per model; customers: those it was fitted on
    fit: Annotated[pd.DataFrame, Columns("model log_likelihood customers")]
    # one row per figure of the days after as_of: days, customers, expected_visits with its bounds, actual_visits,
    # actual_to_expected, expected_value (gross sales) with its bounds, actual_value, correlation and
    # mean_absolute_error over customers; then one customer, the first by id, to calculate after: example_*
    holdout: Annotated[pd.DataFrame, Columns("key value")]
    # one row per number of repeat visits (7: or more): visits per customer in the holdout, expected and actual
    calibration: Annotated[pd.DataFrame, Columns("repeat_visits customers expected_visits actual_visits")]
    # one row per figure: customers, net_sales, historic_margin (missing where no cost is known), expected_visits and
    # expected_value of the next horizon_days, top_share; bounds of 95 % where there are any
    summary: Annotated[pd.DataFrame, Columns("key value lo95 hi95 unit")]
    # how concentrated net sales are, the best customers first; some 120 rows at most
    concentration: Annotated[pd.DataFrame, Columns("customers customer_share net_sales net_sales_share")]
    # one row per value class and loyalty: customers, their net sales so far and expected value
    grid: Annotated[pd.DataFrame, Columns("value_class loyalty customers net_sales expected_value")]
    # the net sales that somebody in the class has more than (missing: no bound)
    value_rule: Annotated[pd.DataFrame, Columns("value_class above")]
    # the first customers, highest expected value first; lo95 and hi95: what this customer will bring lies between;
    # margin: NaN where no cost is known; store: of the last order
    members: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key store_id store value_class loyalty visits last_day net_sales historic_margin "
            "probability_active expected_visits expected_value lo95 hi95"
        ),
    ]
    ranking: _Ranking | None  # None: a batch keeps it

    @property
    def has_forecast(self) -> bool:
        """Whether there are enough data, and such as settle a model."""
        return not self.parameters.empty


@dataclass(frozen=True, slots=True)
class Check:
    """What was expected of the days after ``as_of`` against what came; tables as those of ``ValueReport``."""

    as_of: date
    holdout: pd.DataFrame
    calibration: pd.DataFrame


def value(
    snapshot: Snapshot, scope: Scope, as_of: date, horizon_days: int = HORIZON, members: int = MEMBERS
) -> ValueReport:
    """The value of the customers of the stores in scope at the end of ``as_of``, with the first of their list.

    From what a batch keeps where that is the same (``kept``), else computed.
    """
    if not 1 <= horizon_days <= 3 * HORIZON:
        raise Problem(f"horizon is a whole number of days from 1 to {3 * HORIZON:,}, not {horizon_days}")
    if not 0 <= members <= MOST_MEMBERS:
        raise Problem(f"members is a whole number from 0 to {MOST_MEMBERS:,}, not {members}")
    if horizon_days == HORIZON and _is_kept(snapshot, scope, as_of):
        report = _kept(snapshot, scope, as_of)
    else:
        report, _ = computed(snapshot, scope, as_of, horizon_days)
    return replace(report, members=members_of(snapshot, scope, report, limit=members)) if members else report


def models_of_day(snapshot: Snapshot, scope: Scope, as_of: date) -> ValueReport:
    """``value`` as far as ``outlook`` needs it: where a batch keeps it, the parameters of the models alone."""
    if _is_kept(snapshot, scope, as_of):
        return _kept(snapshot, scope, as_of, ("parameters",))
    return value(snapshot, scope, as_of, members=0)


def computed(
    snapshot: Snapshot, scope: Scope, as_of: date, horizon_days: int = HORIZON
) -> tuple[ValueReport, pd.DataFrame]:
    """The report without its list, and everybody on it: columns as ``value_score``, none without a forecast."""
    people = _in_money(rows_of(scope, snapshot.engine, queries.customers, as_of))
    past = _histories(people)
    readiness, models = _fitted(people, past)
    frames: dict[str, pd.DataFrame] = {}
    figures = _facts(snapshot, scope, as_of, people)
    cuts = _value_cuts(people)
    scores = pd.DataFrame(columns=list(SCORES))
    if models is not None:
        ahead = Ahead(models.visits, past, horizon_days)
        scored = _scored(models.visits.parameters, models.spend, people, past, ahead.moments[0])
        cells = _cells(scored, cuts)
        frames |= {
            "parameters": _parameters(models),
            "fit": _fit(models),
            "grid": _grid(scored, cells),
            **_holdout(snapshot, scope, models, people, past, as_of),
        }
        figures |= _expected(models, people, ahead)
        order = np.argsort(-scored["expected_value"].fillna(scored["expected_visits"]).to_numpy(), kind="stable")
        scores = scored.assign(cell=cells)[list(SCORES)].iloc[order]
    report = ValueReport(
        as_of,
        horizon_days,
        snapshot.info.currency,
        **select_columns(
            ValueReport,
            readiness=readiness,
            summary=_summary(figures),
            concentration=concentration.curve(people["net_sales"].to_numpy()),
            value_rule=pd.DataFrame({"value_class": VALUE_CLASSES, "above": [*cuts, math.nan]}),
            **frames,
        ),
        ranking=_Ranking(scores["customer_no"].to_numpy(np.int64), scores["cell"].to_numpy(np.int8)),
    )
    return report, scores


def check(snapshot: Snapshot, scope: Scope, as_of: date) -> Check | None:
    """What was known some months before ``as_of``, with what came since; None with too short a past.

    Its tables are empty where the data of that time settled no model.
    """
    if snapshot.results is None or not _is_kept(snapshot, scope, as_of):
        return computed_check(snapshot, scope, as_of)
    start = queries.checked_from(scope, snapshot.results)["starts_on"].iloc[0]
    if pd.isna(start):
        return None
    holdout, calibration = (queries.kept(scope, snapshot.results, table) for table in ("holdout", "calibration"))
    return Check(start.date(), holdout, calibration)


def computed_check(snapshot: Snapshot, scope: Scope, as_of: date) -> Check | None:
    """As ``check``, whatever a batch keeps."""
    start = holdout_start(snapshot, as_of)
    if start is None:
        return None
    people = _in_money(rows_of(scope, snapshot.engine, queries.customers, start))
    past = _histories(people)
    _, models = _fitted(people, past)
    found = {} if models is None else _holdout(snapshot, scope, models, people, past, start)
    tables = select_columns(ValueReport, **found)
    return Check(start, tables["holdout"], tables["calibration"])


def _is_kept(snapshot: Snapshot, scope: Scope, as_of: date) -> bool:
    """Whether the results hold the report of this scope and day."""
    return as_of == snapshot.info.last_day and has_current_rows(snapshot, scope, JOB)


def _kept(snapshot: Snapshot, scope: Scope, as_of: date, asked: Collection[str] = KEPT) -> ValueReport:
    assert snapshot.results is not None
    frames = {table: queries.kept(scope, snapshot.results, table) for table in asked}
    shaped = select_columns(ValueReport, **frames)
    return ValueReport(as_of, HORIZON, snapshot.info.currency, **shaped, ranking=None)


def members_of(
    snapshot: Snapshot,
    scope: Scope,
    report: ValueReport,
    cell: Cell | None = None,
    offset: int = 0,
    limit: int = 50,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """A page of the list of customers behind ``report``, or of those of a cell; columns as its members."""
    scores = _page(snapshot, scope, report, cell, offset, limit, wanted)
    if scores.empty:
        return pd.DataFrame(columns=list(declared_tables(ValueReport)["members"]))
    rows = scores.reset_index(drop=True)
    lo, hi = _ranges(report, rows)
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    first = pd.Timestamp(report.as_of) - pd.to_timedelta(rows["age_days"], unit="D")
    value_class, loyalty = np.divmod(rows["cell"].to_numpy(), len(LOYALTIES))
    rows = rows.assign(
        customer_key=[key_of(number) for number in rows["customer_no"]],
        store=rows["store_id"].map(names).astype(object),
        value_class=np.array(VALUE_CLASSES)[value_class],
        loyalty=np.array(LOYALTIES)[loyalty],
        visits=rows["repeat_visits"] + 1,
        last_day=first + pd.to_timedelta(rows["recency_days"], unit="D"),
        lo95=np.round(lo, 2),
        hi95=np.round(hi, 2),
    )
    return rows[list(declared_tables(ValueReport)["members"])]


def _page(
    snapshot: Snapshot, scope: Scope, report: ValueReport, cell: Cell | None, offset: int, limit: int, wanted: Wanted
) -> pd.DataFrame:
    """Some customers in the order of the list: columns ``SCORES`` and ``LISTED``."""
    if not report.has_forecast:
        return pd.DataFrame(columns=[*SCORES, *LISTED])
    if report.ranking is None:
        assert snapshot.results is not None
        return queries.scores(scope, snapshot.results, _code(cell), offset, limit, wanted)
    numbers = _chosen(report.ranking, cell, wanted)[offset : offset + limit]
    if not len(numbers):
        return pd.DataFrame(columns=[*SCORES, *LISTED])
    scores = _scores_now(snapshot, scope, report, numbers.tolist())
    order = pd.Index(scores["customer_no"]).get_indexer(pd.Index(numbers))
    return with_details(snapshot, scope, report.as_of, scores.iloc[order], numbers.tolist())


def _scores_now(snapshot: Snapshot, scope: Scope, report: ValueReport, only: Collection[int]) -> pd.DataFrame:
    """The scores of those of ``only`` who have visited, by number: columns ``SCORES``."""
    people = _in_money(queries.customers(scope, snapshot.engine, report.as_of, only))
    (model, amounts), past = _models_of(report), _histories(people)
    visits = purchases.expected_visits(model, past, report.horizon_days)
    scored = _scored(model, amounts, people, past, visits)
    cells = _cells(scored, report.value_rule["above"].to_numpy()[:-1])
    return scored.assign(cell=cells)[list(SCORES)]


def outlook(snapshot: Snapshot, scope: Scope, report: ValueReport, customer_key: str) -> Outlook | None:
    """What a report with a forecast says of one customer; None of somebody who never visited these stores."""
    number = number_of(customer_key)
    if number is None:
        return None
    if report.ranking is None:
        assert snapshot.results is not None
        row = queries.score(scope, snapshot.results, customer_key)
    else:
        row = _scores_now(snapshot, scope, report, [number])
    if row.empty:
        return None
    visits, _ = _models_of(report)
    past = _histories(row)
    first, middle, last = (float(purchases.next_visit_days(visits, past, part)[0]) for part in NEXT_VISIT)
    chances = tuple(float(purchases.visit_chances(visits, past, days, 1)[0, 1]) for days in CHANCES_WITHIN)
    low, high = (float(np.ravel(bound)[0]) for bound in _ranges(report, row))
    active, expected = (float(row[name].iloc[0]) for name in ("probability_active", "expected_value"))
    return Outlook((middle, first, last), active, chances, (expected, low, high))


def with_details(
    snapshot: Snapshot, scope: Scope, as_of: date, scores: pd.DataFrame, only: Collection[int] | None = None
) -> pd.DataFrame:
    """``scores`` of everybody, or of those in ``only``, with the columns ``LISTED``."""
    known = queries.details(scope, snapshot.engine, as_of, only)
    margin = (known["margin"] / MONEY_UNIT).where(known["costed_sales"] != 0)
    known = known.assign(historic_margin=margin)[["customer_no", *LISTED]]
    return scores.merge(known, on="customer_no", how="left")


def member_count(
    snapshot: Snapshot, scope: Scope, report: ValueReport, cell: Cell | None = None, wanted: Wanted = EVERYBODY
) -> int:
    """How many customers are in a cell, all without one."""
    if report.ranking is not None:
        return len(_chosen(report.ranking, cell, wanted))
    if wanted == EVERYBODY and cell is None:
        return people_in(report)
    assert snapshot.results is not None
    return int(queries.score_count(scope, snapshot.results, _code(cell), wanted)["customers"].iloc[0])


def people_in(report: ValueReport) -> int:
    """How many customers the report is about."""
    return int(report.summary.set_index("key")["value"]["customers"])


def _chosen(ranking: _Ranking, cell: Cell | None, wanted: Wanted) -> NDArray[np.int64]:
    chosen = ranking.customers if cell is None else ranking.customers[ranking.cells == _code(cell)]
    return chosen if wanted == EVERYBODY else chosen[wanted.among(chosen)]


def _code(cell: Cell | None) -> int | None:
    if cell is None:
        return None
    return VALUE_CLASSES.index(cell.value_class) * len(LOYALTIES) + LOYALTIES.index(cell.loyalty)


def _in_money(people: pd.DataFrame) -> pd.DataFrame:
    """The customers with money in the chain's currency, and amount: the mean of a repeat visit, to the cent."""
    money = ["repeat_sales", "gross_sales", "net_sales", "later_sales"]
    repeats = np.maximum(people["repeat_visits"].to_numpy(), 1)
    # Halves up, as a person rounds.
    cents = np.floor(people["repeat_sales"].to_numpy() / (repeats * _CENT) + 0.5)
    return people.assign(amount=cents / 100, **{name: people[name] / MONEY_UNIT for name in money})


def _histories(people: pd.DataFrame) -> Histories:
    return purchases.histories(people["repeat_visits"], people["recency_days"], people["age_days"])


def _fitted(people: pd.DataFrame, past: Histories) -> tuple[pd.DataFrame, _Models | None]:
    """What the forecasts need against what there is, and the models where nothing is missing."""
    quiet = people["age_days"] - people["recency_days"]
    found: dict[str, float] = {
        "buyers": len(people),
        "history_days": people["age_days"].max() if len(people) else 0,
        "days_since_last_visit": quiet.min() if len(people) else math.nan,
        "customers_with_three_visits": int((people["repeat_visits"] >= 2).sum()),
    }
    enough = all(_meets(name, value) for name, value in found.items())
    visits = purchases.fit(past) if enough else None
    if enough:
        found["model_settled"] = int(visits is not None)
    rows = [(name, NEEDED[name][0], value, _meets(name, value)) for name, value in found.items()]
    readiness = pd.DataFrame(rows, columns=["requirement", "needed", "found", "met"])
    if visits is None:
        return readiness, None
    amounts = spend.fit(people["repeat_visits"], people["amount"])
    # Without a mean of the means nothing can be said of somebody's spending.
    return readiness, _Models(visits, amounts if amounts is not None and amounts.parameters.q > 1 else None)


def _meets(name: str, found: float) -> bool:
    needed, way = NEEDED[name]
    return found >= needed if way == "at_least" else found <= needed


def _facts(snapshot: Snapshot, scope: Scope, as_of: date, people: pd.DataFrame) -> dict[str, Total]:
    """What is known without a model."""
    sums = queries.margin(scope, snapshot.engine, as_of)
    known = len(sums) > 0 and sums["costed_sales"].iloc[0] != 0
    net_sales = people["net_sales"].to_numpy()
    return {
        "customers": _plain(len(people)),
        "net_sales": _plain(float(net_sales.sum())),
        "historic_margin": _plain(float(sums["margin"].iloc[0]) / MONEY_UNIT if known else math.nan),
        "top_share": Total(*concentration.top_share(net_sales)),
    }


def _expected(models: _Models, people: pd.DataFrame, ahead: Ahead) -> dict[str, Total]:
    """The totals of the days ahead."""
    figures = {"expected_visits": total_visits(ahead)}
    if models.amounts is not None:
        figures["expected_value"] = total_value(ahead, models.amounts, people["amount"].to_numpy())
    return figures


def _plain(figure: float) -> Total:
    return Total(figure, math.nan, math.nan)


def _summary(figures: dict[str, Total]) -> pd.DataFrame:
    order = ("customers", "net_sales", "historic_margin", "expected_visits", "expected_value", "top_share")
    nothing = _plain(math.nan)
    rows = [(key, figures.get(key, nothing)) for key in order]
    return pd.DataFrame(
        [(key, f.mean, f.low, f.high, METRICS[key].unit) for key, f in rows],
        columns=["key", "value", "lo95", "hi95", "unit"],
    )


def _scored(
    model: Purchases, amounts: Spend | None, people: pd.DataFrame, past: Histories, expected: NDArray[np.float64]
) -> pd.DataFrame:
    """The customers with probability_active, expected_visits (``expected`` of each past) and expected_value (gross
    sales)."""
    visits = expected[past.member]
    active = purchases.probability_active(model, past)[past.member]
    each: Any = math.nan
    if amounts is not None:
        each = spend.expected_amount(amounts, people["repeat_visits"], people["amount"])
    return people.assign(probability_active=active, expected_visits=visits, expected_value=visits * each)


def _models_of(report: ValueReport) -> tuple[Purchases, Spend | None]:
    """The parameters that the report was made with."""
    found = {name: rows.set_index("name")["value"] for name, rows in report.parameters.groupby("model")}
    amounts = Spend(**found["gamma_gamma"]) if "gamma_gamma" in found else None
    return Purchases(**found["bg_nbd"]), amounts


def _ranges(report: ValueReport, rows: pd.DataFrame) -> tuple[Any, Any]:
    model, amounts = _models_of(report)
    if amounts is None:
        return math.nan, math.nan
    return ranges(model, amounts, _histories(rows), rows["amount"].to_numpy(), report.horizon_days)


def _value_cuts(people: pd.DataFrame) -> list[float]:
    if people.empty:
        return [math.nan] * len(VALUE_QUANTILES)
    return [float(cut) for cut in np.quantile(people["net_sales"], VALUE_QUANTILES)]


def _cells(scored: pd.DataFrame, cuts: Any) -> NDArray[np.int8]:
    """Of each customer, which cell of the grid it is in, row by row."""
    net_sales, active = scored["net_sales"].to_numpy(), scored["probability_active"].to_numpy()
    value_class = np.select([net_sales > cuts[0], net_sales > cuts[1]], [0, 1], 2)
    once = scored["repeat_visits"].to_numpy() == 0
    loyalty = np.select([once, active >= ACTIVE_FROM, active >= FADING_BELOW], [3, 0, 1], 2)
    return (value_class * len(LOYALTIES) + loyalty).astype(np.int8)


def _grid(scored: pd.DataFrame, cells: NDArray[np.int8]) -> pd.DataFrame:
    many = len(VALUE_CLASSES) * len(LOYALTIES)
    names = pd.MultiIndex.from_product([VALUE_CLASSES, LOYALTIES], names=["value_class", "loyalty"])
    sums = {n: np.bincount(cells, weights=scored[n], minlength=many) for n in ("net_sales", "expected_value")}
    return pd.DataFrame({"customers": np.bincount(cells, minlength=many), **sums}, index=names).reset_index()


def _parameters(models: _Models) -> pd.DataFrame:
    rows = []
    for name, found in _by_name(models).items():
        lows, highs = found.interval()
        values = zip(found.parameters._fields, found.parameters, found.standard_errors(), lows, highs, strict=True)
        rows += [(name, *figures) for figures in values]
    return pd.DataFrame(rows, columns=["model", "name", "value", "standard_error", "lo95", "hi95"])


def _fit(models: _Models) -> pd.DataFrame:
    rows = [(name, found.log_likelihood, found.customers) for name, found in _by_name(models).items()]
    return pd.DataFrame(rows, columns=["model", "log_likelihood", "customers"])


def _by_name(models: _Models) -> dict[str, Estimate[Any]]:
    found: dict[str, Estimate[Any]] = {"bg_nbd": models.visits}
    return found if models.amounts is None else {**found, "gamma_gamma": models.amounts}


def _holdout(
    snapshot: Snapshot, scope: Scope, models: _Models, people: pd.DataFrame, past: Histories, as_of: date
) -> dict[str, pd.DataFrame]:
    """What was expected of the days after ``as_of`` against what came; nothing where the data have none."""
    days = ((snapshot.info.last_day or as_of) - as_of).days
    if days < 1:
        return {}
    ahead = Ahead(models.visits, past, days)
    totals = _expected(models, people, ahead)
    visits = totals["expected_visits"]
    scored = _scored(models.visits.parameters, models.spend, people, past, ahead.moments[0])
    expected, actual = scored["expected_visits"].to_numpy(), people["later_visits"].to_numpy()
    money = totals.get("expected_value", _plain(math.nan))
    figures: dict[str, float] = {
        "days": days,
        "customers": len(people),
        "expected_visits": visits.mean,
        "expected_visits_lo95": visits.low,
        "expected_visits_hi95": visits.high,
        "actual_visits": int(actual.sum()),
        "actual_to_expected": actual.sum() / visits.mean,
        "expected_value": money.mean,
        "expected_value_lo95": money.low,
        "expected_value_hi95": money.high,
        "actual_value": people["later_sales"].sum(),
        "correlation": float(np.corrcoef(expected, actual)[0, 1]),
        "mean_absolute_error": float(np.abs(expected - actual).mean()),
        **_example(scored, queries.by_id(scope, snapshot.engine, as_of, limit=1)),
    }
    bins = np.minimum(people["repeat_visits"].to_numpy(), MOST_REPEATS)
    customers = np.bincount(bins, minlength=MOST_REPEATS + 1)
    means = [
        np.bincount(bins, weights=w, minlength=len(customers)) / np.maximum(customers, 1) for w in (expected, actual)
    ]
    calibration = pd.DataFrame(
        {
            "repeat_visits": np.arange(len(customers)),
            "customers": customers,
            "expected_visits": means[0],
            "actual_visits": means[1],
        }
    )
    return {
        "holdout": pd.DataFrame({"key": list(figures), "value": list(figures.values())}),
        "calibration": calibration[calibration["customers"] > 0].reset_index(drop=True),
    }


def _example(scored: pd.DataFrame, first: pd.DataFrame) -> dict[str, float]:
    """One customer worked through, for whoever wants to calculate after; nobody where nobody has a counted order."""
    if first.empty:
        return {}
    one = scored[scored["customer_no"] == first["customer_no"].iloc[0]].iloc[0]
    return {
        "example_repeat_visits": one["repeat_visits"],
        "example_recency_weeks": one["recency_days"] / purchases.DAYS_A_WEEK,
        "example_age_weeks": one["age_days"] / purchases.DAYS_A_WEEK,
        "example_probability_active": one["probability_active"],
        "example_expected_visits": one["expected_visits"],
    }


def holdout_start(snapshot: Snapshot, as_of: date) -> date | None:
    """The day on which a check of the forecasts against what came since best ends its calibration.

    Half a year before ``as_of``, or as much of it as leaves the history that the models need; None when that is less
    than a month.
    """
    first = snapshot.info.first_day
    if first is None:
        return None
    room = (as_of - first).days - int(NEEDED["history_days"][0])
    days = min(room, HORIZON // 2)
    return as_of - timedelta(days=days) if days >= 30 else None
