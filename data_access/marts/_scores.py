"""Scores, classes, quadrants and stages of a customer base in SQL, written once for the marts and for live questions.

A base is any FROM clause of customers with the columns level, place_id, customer_no, orders_ever, first_day,
last_day, gaps, median_gap, gap_trend and amount_trend (of all orders), orders, visits and money (of the days that
count), and as_of, the day whose end it describes. Buyers have orders among these days; only they are scored. Ties
are parted by the place of the CRM's id among all ids: ``id_rank`` of the base where it has that column, else of
``customer_rank``.

``cuts`` finds, per place, the values behind every group (``cut_columns``); a customer's groups then follow from plain
comparisons with them. To sort a million customers four times would cost seconds, so the customers at a cut are found
as one looks up a word: count by coarse buckets in order, then sort only the buckets that hold a cut.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Protocol

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Double,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._bridge import days_between
from data_access.marts.segment_rules import (
    ASSUMED_GAP,
    CLASSES,
    GRID,
    LIFECYCLES,
    PRESETS,
    PRIOR_GAPS,
    PROSPECT,
    QUADRANTS,
    TIE_RULES,
    Monetary,
    Preset,
    Stage,
    TieRule,
)
from data_access.marts.tables import Money, customer_rank, product

Expression = ColumnElement[Any]


class Cuts(Protocol):
    """The columns of ``cuts`` by name, or their values as literals."""

    def __getitem__(self, name: str, /) -> Any: ...


FIFTHS = (1, 2, 3, 4)
_EPOCH = date(1970, 1, 1)
_WIDEST = max(len(name) for names in GRID.values() for name in names)
_RANKS = 8_192  # ids in a bucket of customers with one number of orders
_RANKS_MOST = 1_000_000  # buckets of ids, so that orders and ids make one number
# Sums of floats: a share that is .8 on paper must not become B by its last bit.
_HAIR = 1e-12


def cut_columns() -> list[Column[Any]]:
    """The columns of ``cuts`` after level and place_id; null without a buyer, a_* and b_* without net sales.

    r, f, m: last day in days since 1970-01-01, orders, and net (or gross) sales.
    """
    columns: list[Column[Any]] = []
    for letter, kind in (("r", Integer), ("f", Integer), ("m", Money)):
        columns += [Column(f"{letter}_cut_{j}", Double) for j in FIFTHS]  # quintiles
        for j in FIFTHS:  # value and id_rank of the last of each of five equal groups
            columns += [Column(f"{letter}_last_{j}", kind), Column(f"{letter}_rank_{j}", Integer)]
    columns += [Column("visits_median", Double), Column("net_sales_median", Double)]
    columns.append(Column("usual_gap", Double))  # days that a product of the range lasts
    for letter in ("a", "b"):  # the last customer of class A, and of A and B together
        columns += [Column(f"{letter}_value", Money), Column(f"{letter}_rank", Integer)]
    return columns


def day_number(day: Expression) -> ColumnElement[int]:
    return days_between(literal(_EPOCH, Date), day)


def ranked(source: FromClause, people: FromClause) -> FromClause:
    """``source``, which holds ``people``, with the ranks of their ids."""
    if "id_rank" in people.c:
        return source
    return source.join(customer_rank, customer_rank.c.customer_no == people.c.customer_no)


def _rank(people: FromClause) -> ColumnElement[int]:
    """The rank of an id in a source that ``ranked`` gave."""
    return people.c.id_rank if "id_rank" in people.c else customer_rank.c.id_rank


# --- cuts -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Measure:
    """A value of each buyer, and a number that grows with (value, id_rank) and parts the buyers into buckets.

    A base is joined to the ranks only where it must be: that costs more than the rest.
    """

    name: str
    value: Expression
    bucket: Expression
    bucket_has_rank: bool = False


def cuts(people: FromClause, monetary: Monetary, abc_a: float, abc_b: float) -> Select[Any]:
    """One row per place with a buyer: level, place_id and ``cut_columns()``."""
    p = people.c
    orders = cast(p.orders, BigInteger)
    by_id = orders * _RANKS_MOST + _whole(_rank(people) / _RANKS)
    last_day = day_number(p.last_day)
    found = [
        _quintiles(people, _Measure("r", last_day, last_day)),
        _quintiles(people, _Measure("f", p.orders, by_id, bucket_has_rank=True)),
        _visits(people),
        _money(people, monetary == "net_sales", abc_a, abc_b),
    ]
    if monetary != "net_sales":
        found.append(_quintiles(people, _Measure("m", p[monetary], _whole(p[monetary]))))
    first, *others = found
    joined: FromClause = first
    for other in others:
        joined = joined.join(other, and_(other.c.level == first.c.level, other.c.place_id == first.c.place_id))
    by_name: dict[str, Expression] = {column.name: column for part in found for column in part.c}
    by_name["usual_gap"] = _usual_gap().label("usual_gap")
    return select(first.c.level, first.c.place_id, *(by_name[column.name] for column in cut_columns())).select_from(
        joined
    )


def _counted(people: FromClause, measure: _Measure, amount: Expression | None = None) -> Subquery:
    """One row per place and bucket: customers in it (here), before it and in all (buyers), and likewise ``amount``.

    ``above`` is the amount of the buckets after this one, ``total`` of all.
    """
    p = people.c
    bucket = measure.bucket.label("bucket")
    rows = (
        select(
            p.level,
            p.place_id,
            bucket,
            func.count().label("here"),
            func.sum(literal(0) if amount is None else amount).label("amount"),
        )
        .select_from(ranked(people, people) if measure.bucket_has_rank else people)
        .where(p.orders > 0)
        .group_by(p.level, p.place_id, bucket)
        .subquery(f"{measure.name}_buckets")
    )
    r = rows.c
    place: list[Expression] = [r.level, r.place_id]
    so_far: dict[str, Any] = {"partition_by": place, "order_by": r.bucket, "rows": (None, 0)}
    total = func.sum(r.amount).over(partition_by=place)
    return select(
        r.level,
        r.place_id,
        r.bucket,
        r.here,
        (func.sum(r.here).over(**so_far) - r.here).label("before"),
        func.sum(r.here).over(partition_by=place).label("buyers"),
        r.amount,
        (total - func.sum(r.amount).over(**so_far)).label("above"),
        total.label("total"),
    ).subquery(f"{measure.name}_counted")


def _numbered(people: FromClause, measure: _Measure, counted: Subquery, wanted: ColumnElement[bool]) -> Subquery:
    """The buyers of the wanted buckets: value, id_rank, position (from 0, in all), and the amount that stands before
    each in descending order, beside the figures of the bucket."""
    p, k = people.c, counted.c
    here = and_(k.level == p.level, k.place_id == p.place_id, k.bucket == measure.bucket)
    order: dict[str, Any] = {
        "partition_by": [k.level, k.place_id, k.bucket],
        "order_by": [measure.value, _rank(people)],
    }
    positive = func.greatest(measure.value, 0)
    return (
        select(
            k.level,
            k.place_id,
            k.buyers,
            k.total,
            measure.value.label("value"),
            _rank(people).label("id_rank"),
            (k.before + func.row_number().over(**order) - 1).label("position"),
            (k.above + k.amount - func.sum(positive).over(**order, rows=(None, 0))).label("standing_before"),
        )
        .select_from(ranked(people, people).join(counted, here))
        .where(p.orders > 0, wanted)
        .subquery(f"{measure.name}_numbered")
    )


def _whole(number: Expression) -> Expression:
    return cast(func.floor(number), BigInteger)


def _last_of_fifth(j: int, buyers: Expression) -> Expression:
    """Position of the last of j fifths: ceil(j n / 5) - 1."""
    return _whole((buyers * j - 1) / 5)


def _around(j: int, parts: int, buyers: Expression) -> tuple[Expression, Expression, Expression]:
    """The positions before and after the j-th of ``parts`` quantiles, and how far between them it lies."""
    steps = (buyers - 1) * j
    low = _whole(steps / parts)
    return low, _whole((steps + parts - 1) / parts), (steps - low * parts) / float(parts)


def _fifth_positions(buyers: Expression) -> list[Expression]:
    found = []
    for j in FIFTHS:
        low, high, _ = _around(j, 5, buyers)
        found += [_last_of_fifth(j, buyers), low, high]
    return found


def _holds(counted: Subquery, positions: Sequence[Expression]) -> ColumnElement[bool]:
    """Whether a bucket holds one of the positions."""
    k = counted.c
    return or_(*(and_(k.before <= position, position < k.before + k.here) for position in positions))


def _at(rows: Subquery, position: Expression, column: str = "value") -> Expression:
    return func.max(case((rows.c.position == position, rows.c[column])))


def _quantile(j: int, parts: int, buyers: Expression, at: Callable[[Expression], Expression]) -> Expression:
    """The j-th of ``parts`` quantiles by linear interpolation; ``at`` gives the value at a position."""
    low, high, part = _around(j, parts, buyers)
    below, above = cast(at(low), Double), cast(at(high), Double)
    return below + (above - below) * part


def _quintile_columns(rows: Subquery, letter: str) -> list[Expression]:
    buyers = rows.c.buyers
    columns: list[Expression] = []
    for j in FIFTHS:
        last = _last_of_fifth(j, buyers)
        columns += [
            _quantile(j, 5, buyers, partial(_at, rows)).label(f"{letter}_cut_{j}"),
            _at(rows, last).label(f"{letter}_last_{j}"),
            _at(rows, last, "id_rank").label(f"{letter}_rank_{j}"),
        ]
    return columns


def _by_place(rows: Subquery, *columns: Expression, name: str) -> Subquery:
    r = rows.c
    return select(r.level, r.place_id, *columns).group_by(r.level, r.place_id, r.buyers).subquery(name)


def _quintiles(people: FromClause, measure: _Measure) -> Subquery:
    counted = _counted(people, measure)
    rows = _numbered(people, measure, counted, _holds(counted, _fifth_positions(counted.c.buyers)))
    return _by_place(rows, *_quintile_columns(rows, measure.name), name=f"{measure.name}_cuts")


def _visits(people: FromClause) -> Subquery:
    """The median of visits, which are few numbers: the buckets are the values."""
    counted = _counted(people, _Measure("visits", people.c.visits, people.c.visits))
    k = counted.c

    def at(position: Expression) -> Expression:
        return func.max(case((_holds(counted, [position]), k.bucket)))

    return _by_place(counted, _quantile(1, 2, k.buyers, at).label("visits_median"), name="visits_cuts")


def _usual_gap() -> Expression:
    lasts = case((product.c.usage_days > 0, product.c.usage_days))
    middle = func.coalesce(cast(func.median(lasts), Double), float(ASSUMED_GAP))
    return select(middle).scalar_subquery()


def _net_sales(people: FromClause) -> _Measure:
    value = people.c.net_sales
    return _Measure("net_sales", value, _whole(value))


def _money(people: FromClause, is_scored: bool, abc_a: float, abc_b: float) -> Subquery:
    """The median of net sales, the last customers of A and B, and the quintiles of M when it scores net sales."""
    measure = _net_sales(people)
    counted = _counted(people, measure, func.greatest(measure.value, 0))
    k = counted.c
    low, high, _ = _around(1, 2, k.buyers)
    ends = [
        and_(k.amount > 0, _share(k.above, k.total) < share, _share(k.above + k.amount, k.total) >= share)
        for share in (abc_a, abc_b)
    ]
    positions = [low, high, *(_fifth_positions(k.buyers) if is_scored else [])]
    rows = _numbered(people, measure, counted, or_(_holds(counted, positions), *ends))
    r = rows.c
    columns = [_quantile(1, 2, r.buyers, partial(_at, rows)).label("net_sales_median")]
    for letter, share in (("a", abc_a), ("b", abc_b)):
        reached = _share(r.standing_before + r.value, r.total) >= share
        last = and_(r.value > 0, _share(r.standing_before, r.total) < share, reached)
        columns += [
            func.max(case((last, r.value))).label(f"{letter}_value"),
            func.max(case((last, r.id_rank))).label(f"{letter}_rank"),
        ]
    return _by_place(rows, *columns, *(_quintile_columns(rows, "m") if is_scored else []), name="money_cuts")


def _share(amount: Expression, total: Expression) -> Expression:
    return cast(amount, Double) / cast(total, Double) + _HAIR


def spend_curve(people: FromClause, points: int) -> Select[Any]:
    """How concentrated net sales are: about ``points`` rows per place, the best customers first.

    level, place_id, customers (so many of the best, of those with net sales above 0), net_sales (of these together).
    """
    spenders = select(people).where(people.c.net_sales > 0).subquery("spenders")
    counted = _counted(spenders, _net_sales(spenders), spenders.c.net_sales)
    k = counted.c
    better, together = k.buyers - k.before - k.here, k.buyers - k.before
    passes = _whole(points * together / k.buyers) > _whole(points * better / k.buyers)
    return select(k.level, k.place_id, together.label("customers"), (k.above + k.amount).label("net_sales")).where(
        passes
    )


# --- groups ---------------------------------------------------------------------------------------

Say = Callable[[str], str | int]  # what a group is called in an answer: its name, or a number that stands for it


def scores(people: FromClause, cut: Cuts, monetary: Monetary, tie_rule: TieRule) -> dict[str, Expression]:
    """r, f and m of a buyer under a rule; what they are of anybody else means nothing."""
    p = people.c
    values: dict[str, Expression] = {"r": day_number(p.last_day), "f": p.orders, "m": p[monetary]}
    return {letter: _score(letter, value, _rank(people), cut, tie_rule) for letter, value in values.items()}


def _score(letter: str, value: Expression, rank: Expression, cut: Cuts, tie_rule: TieRule) -> Expression:
    """How many cuts lie below a value, and 1; recency counts days backwards, so on a cut its value lies above."""

    def above(j: int) -> ColumnElement[bool]:
        if tie_rule == "equal_size":
            last = cut[f"{letter}_last_{j}"]
            return or_(value > last, and_(value == last, cut[f"{letter}_rank_{j}"] < rank))
        return value >= cut[f"r_cut_{j}"] if letter == "r" else value > cut[f"{letter}_cut_{j}"]

    # Cuts rise, so the first one found from the top decides: a third of the time of counting them.
    return case(*((above(j), j + 1) for j in reversed(FIFTHS)), else_=1)


def fm_score(f: Expression, m: Expression) -> Expression:
    """Frequency and spend as one score, half a point rounded up."""
    return cast(func.floor((f + m + 1) / 2), Integer)


def segment(r: Expression, f: Expression, m: Expression, orders_ever: Expression) -> Expression:
    """The named segment; null for somebody whose orders all lie outside the days that count (r is null)."""
    names = "".join(name.ljust(_WIDEST) for row in sorted(GRID) for name in GRID[row])
    start = ((r - 1) * 5 + fm_score(f, m) - 1) * _WIDEST + 1
    # A CASE of 25 names would work out the scores anew for each of them.
    return case((orders_ever == 0, PROSPECT), else_=func.rtrim(func.substr(literal(names), start, _WIDEST)))


def abc_class(people: FromClause, cut: Cuts, say: Say = str) -> Expression:
    p = people.c

    def up_to(letter: str) -> ColumnElement[bool]:
        value = cut[f"{letter}_value"]
        return or_(p.net_sales > value, and_(p.net_sales == value, cut[f"{letter}_rank"] <= _rank(people)))

    return case((p.net_sales <= 0, say("U")), (up_to("a"), say("A")), (up_to("b"), say("B")), else_=say("C"))


def quadrant(people: FromClause, cut: Cuts, say: Say = str) -> Expression:
    p = people.c
    frequent, high = p.visits > cut["visits_median"], p.net_sales > cut["net_sales_median"]
    return case(
        (p.orders == 0, null()),
        (and_(frequent, high), say("frequent_high")),
        (frequent, say("frequent_low")),
        (high, say("rare_high")),
        else_=say("rare_low"),
    )


def stage(people: FromClause, cut: Cuts, preset: Preset) -> Expression:
    """The stage of life of a customer at the end of the day ``as_of``, by the customer's own rhythm."""
    *rules, rest = LIFECYCLES[preset]
    gap = expected_gap(people, cut)
    return case(*((_leads_to(rule, people, gap), rule.stage) for rule in rules), else_=rest.stage)


def expected_gap(people: FromClause, cut: Cuts) -> Expression:
    """Days that a customer usually lets pass: the own median, drawn towards the usual gap where gaps are few."""
    p = people.c
    usual = PRIOR_GAPS * func.coalesce(cut["usual_gap"], float(ASSUMED_GAP))
    days = (p.gaps * func.coalesce(p.median_gap, 0.0) + usual) / (p.gaps + PRIOR_GAPS)
    return cast(func.greatest(days, 1.0), Double)


def _leads_to(rule: Stage, people: FromClause, gap: Expression) -> ColumnElement[bool]:
    p = people.c
    visits = case((p.orders_ever > 0, p.gaps + 1), else_=0)
    since_first, since_last = (days_between(day, p.as_of) for day in (p.first_day, p.last_day))
    bounds: list[ColumnElement[bool]] = []
    if rule.min_visits is not None:
        bounds.append(visits >= rule.min_visits)
    if rule.max_visits is not None:
        bounds.append(visits <= rule.max_visits)
    if rule.began_within is not None:
        bounds.append(since_first <= rule.began_within * gap)
    if rule.late_up_to is not None:
        bounds.append(since_last <= rule.late_up_to * gap)
    if rule.late_over is not None:
        bounds.append(since_last > rule.late_over * gap)
    if rule.gaps_fall_by is not None:
        bounds.append(p.gap_trend <= -rule.gaps_fall_by)
    if rule.amounts_rise_by is not None:
        bounds.append(p.amount_trend >= rule.amounts_rise_by)
    return and_(true(), *bounds)


# --- cells ----------------------------------------------------------------------------------------

_SUMS = ("customers", "visits", "orders", "gross_sales", "net_sales", "costed_sales", "margin")
_RULED = ("r", "f", "m")
_NAMES: dict[str, tuple[str, ...]] = {"abc": CLASSES, "quadrant": QUADRANTS}


def cells(people: FromClause, cut: Cuts, source: FromClause, monetary: Monetary) -> CompoundSelect[Any]:
    """One row per place, tie rule and combination of groups that occurs.

    level, place_id, tie_rule, r, f, m, segment, abc, quadrant, customers, visits, orders, gross_sales, net_sales,
    costed_sales, margin. ``source`` is ``people``, with whatever the expressions of ``cut`` come from joined to it.
    """
    p = people.c
    digits = _digits(people, cut, monetary)
    code: Expression = literal(0)
    for value, values in digits.values():
        code = code * values + func.coalesce(value, 0)
    rows = (
        select(p.level, p.place_id, cast(code, Integer).label("code"), *(p[name] for name in _SUMS[1:]))
        .select_from(ranked(source, people))
        .subquery("grouped")
    )
    g = rows.c
    sums = (func.sum(g[name]).label(name) for name in _SUMS[1:])
    found = (
        select(g.level, g.place_id, g.code, func.count().label("customers"), *sums)
        .group_by(g.level, g.place_id, g.code)
        .subquery("found")
    )
    decoded, weight = [], 1
    for name, (_, values) in reversed(digits.items()):
        decoded.append(func.nullif(func.mod(_whole(found.c.code / weight), values), 0).label(name))
        weight *= values
    every = select(found, *decoded).cte("every_group")
    return union_all(*(_under(every, rule) for rule in TIE_RULES))


def _digits(people: FromClause, cut: Cuts, monetary: Monetary) -> dict[str, tuple[Expression, int]]:
    """Every group of a customer as a whole number from 1 (0 or null: none), and how many values it takes.

    Rows of one number are added up in half the time of rows of a dozen scores and names.
    """
    buyer = people.c.orders > 0
    digits: dict[str, tuple[Expression, int]] = {}
    for rule in TIE_RULES:
        for letter, score in scores(people, cut, monetary, rule).items():
            digits[f"{rule}_{letter}"] = (case((buyer, score)), 6)

    def number_of(group: str) -> Say:
        return lambda name: _NAMES[group].index(name) + 1

    found = {
        "abc": abc_class(people, cut, number_of("abc")),
        "quadrant": quadrant(people, cut, number_of("quadrant")),
    }
    digits |= {group: (value, len(_NAMES[group]) + 1) for group, value in found.items()}
    return digits | {"orders_ever": (case((people.c.orders_ever > 0, 1)), 2)}


def _under(every: CTE, rule: TieRule) -> Select[Any]:
    """The groups under one tie rule."""
    e = every.c
    r, f, m = (e[f"{rule}_{letter}"] for letter in _RULED)
    groups = (e.level, e.place_id, r, f, m, e.abc, e.quadrant, e.orders_ever)
    names = {
        group: case(dict(enumerate(names, start=1)), value=e[group]).label(group) for group, names in _NAMES.items()
    }
    return select(
        e.level,
        e.place_id,
        literal(rule).label("tie_rule"),
        cast(r, Integer).label("r"),
        cast(f, Integer).label("f"),
        cast(m, Integer).label("m"),
        segment(r, f, m, func.coalesce(e.orders_ever, 0)).label("segment"),
        *names.values(),
        *(func.sum(e[name]).label(name) for name in _SUMS),
    ).group_by(*groups)


def stages(people: FromClause, cut: Cuts, source: FromClause) -> CompoundSelect[Any]:
    """One row per place, preset and stage of life that occurs: level, place_id, preset, stage and the sums of
    ``cells``. ``source`` as there."""
    p = people.c
    named = [stage(people, cut, preset).label(preset) for preset in PRESETS]
    rows = select(p.level, p.place_id, *named, *(p[name] for name in _SUMS[1:])).select_from(source).subquery("staged")
    r = rows.c
    sums = (func.sum(r[name]).label(name) for name in _SUMS[1:])
    kept = [r[preset] for preset in PRESETS]
    every = (
        select(r.level, r.place_id, *kept, func.count().label("customers"), *sums)
        .group_by(r.level, r.place_id, *kept)
        .cte("every_stage")
    )
    return union_all(*(_of_preset(every, preset) for preset in PRESETS))


def _of_preset(every: CTE, preset: Preset) -> Select[Any]:
    e = every.c
    sums = (func.sum(e[name]).label(name) for name in _SUMS)
    return select(e.level, e.place_id, literal(preset).label("preset"), e[preset].label("stage"), *sums).group_by(
        e.level, e.place_id, e[preset]
    )
