"""From series to forecasts: the kind of each, the mean of its methods, and intervals from how they did before."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.calc import outliers
from models.forecasting import accuracy, analogues, classes, intervals, policy
from models.forecasting.boosting import Boosted
from models.forecasting.candidates import Ground, each_of, ground
from models.forecasting.classes import Kind
from models.forecasting.events import nothing
from models.forecasting.intervals import Bounds, Errors
from models.forecasting.panel import Floats, Panel
from models.forecasting.prophets import Fit

ORIGINS: Final = 3
# Series of a kind that are looked back on: pooled quantiles need no more.
_LOOKED_BACK: Final = 75
_LOOKED_BACK_PROPHET: Final = 20
_LEAST_SEASONS: Final = 1.5
_EVENTS_FROM: Final = 420  # days of history that know what events did
_SEED: Final = 1
# The naive forecast takes over where it was better by more than chance would have it.
_BETTER: Final = 0.98
_WHOLE_FROM: Final = 10.0


@dataclass(frozen=True)
class Looked:
    """One kind at one earlier origin: what was said then of some of its series, and what came."""

    kind: Kind
    before: int  # periods from then to the end of the history
    ids: tuple[str, ...]
    actual: Floats
    said: dict[str, Floats]  # by method; the kind's own forecast under its label, what it is set against
    spread: Floats
    scale: Floats
    event: NDArray[np.bool_]  # whether each step is a day of an event that shows

    def some(self, ids: Collection[str]) -> "Looked":
        """Only these series."""
        rows = [number for number, name in enumerate(self.ids) if name in ids]
        said = {name: values[rows] for name, values in self.said.items()}
        kept = tuple(self.ids[row] for row in rows)
        return replace(
            self, ids=kept, actual=self.actual[rows], said=said, spread=self.spread[rows], scale=self.scale[rows]
        )

    def ratios(self, name: str) -> Errors:
        return Errors((self.actual - self.said[name]) / self.spread, self.event)


@dataclass(frozen=True)
class Result:
    """``rows``: unique_id, ds, model, mean, lo80, hi80, lo95, hi95; ``accuracy``: how each method did before.

    ``accuracy`` has one row per kind and method: kind, model, used (this is the forecast of the kind), series, wape,
    rmsse, bias, coverage80, coverage95 (of the forecast used; each origin by the intervals known then). ``fits``: of
    Prophet, by series that it was used for.
    """

    rows: pd.DataFrame
    kinds: dict[str, Kind]
    accuracy: pd.DataFrame
    past: list[Looked]
    fits: dict[str, Fit]


def forecast(panel: Panel, table: pd.DataFrame | None = None, upper: bool = True) -> Result:
    """The forecast of every series of the panel.

    Gross outliers of the history are brought down first (see ``outliers``).

    table: the events that may matter (see ``events``). upper: these may be series of upper levels, which are few and
    worth a model of their own each; lower ones only get methods that are quick.
    """
    # Threads of linear algebra on matrices as small as these only wait for each other.
    with threadpool_limits(1):
        return _forecast(panel, nothing() if table is None else table, upper)


def _forecast(panel: Panel, table: pd.DataFrame, upper: bool) -> Result:
    panel = replace(panel, values=outliers.without_gross(panel.values))
    kinds = classes.kinds(panel)
    past = look_back(panel, kinds, table, upper)
    parts, league = [], []
    fits: dict[str, Fit] = {}
    for group in _GROUPS:
        inside = np.isin(kinds, group)
        if not inside.any():
            continue
        seen = ground(panel.some(inside), table)
        for kind in group:
            rows = np.flatnonzero(kinds[inside] == kind)
            if len(rows):
                mine = [looked for looked in past if looked.kind == kind]
                name = _chosen(panel, kind, len(rows), upper, mine)
                parts.append(_rows(seen, kind, rows, name, mine))
                league += league_of(kind, name, mine)
        fits |= seen.fits
    found = pd.concat(parts, ignore_index=True).sort_values(["unique_id", "ds"], ignore_index=True)
    kind_of = dict(zip(panel.ids, kinds.tolist(), strict=True))
    return Result(found, kind_of, pd.DataFrame(league, columns=LEAGUE), past, fits)


LEAGUE: Final = ["kind", "model", "used", "series", "wape", "rmsse", "bias", "coverage80", "coverage95"]
# Series of a group learn from each other.
_GROUPS: Final[tuple[tuple[Kind, ...], ...]] = (("regular", "short"), ("intermittent",), ("new",))


def look_back(panel: Panel, kinds: NDArray[np.str_], table: pd.DataFrame, upper: bool) -> list[Looked]:
    """What the methods of each kind would have said at earlier origins, one horizon apart, the earliest first.

    The kinds are those of today: how a kind is forecast is what is judged, not how series change their kind. One origin
    more, from which events were ahead, teaches how unsure such days are; it is not in the league.
    """
    horizon = panel.horizon
    found: list[Looked] = []
    trained: dict[tuple[Kind, ...], Boosted | None] = {}
    random = np.random.default_rng(_SEED)
    kind_of = dict(zip(panel.ids, kinds.tolist(), strict=True))
    lengths = [panel.length - back * horizon for back in range(ORIGINS, 0, -1)]
    for length in (*_before_events(panel, table, lengths[0]), *lengths):
        if length < max(horizon, _LEAST_SEASONS * panel.season if panel.frequency != "D" else 8 * panel.season):
            continue
        whole = panel.until(length, horizon)
        for group in _GROUPS[:2]:
            inside = np.array([kind_of[name] in group for name in whole.ids], dtype=bool)
            if not inside.any():
                continue
            seen = ground(whole.some(inside), table, trained.get(group))
            for kind in group:
                names = policy.methods(panel.frequency, kind, int((kinds == kind).sum()), upper)
                rows = np.flatnonzero([kind_of[name] == kind for name in seen.panel.ids])
                rows = rows[seen.panel.begins[rows] <= length - _LEAST_SEASONS * panel.season]
                most = _LOOKED_BACK_PROPHET if "prophet" in names else _LOOKED_BACK
                if "tsb" not in names and len(rows) > most:
                    rows = np.sort(random.choice(rows, most, replace=False))
                if len(rows):
                    against = policy.references(panel.frequency, kind, upper)
                    found.append(_looked(seen, kind, names, against, rows, panel))
            if length in lengths:
                trained[group] = seen.boosted if "boosted" in seen.__dict__ else None
    return found


def _before_events(panel: Panel, table: pd.DataFrame, end: int) -> tuple[int, ...]:
    """The origin of the year before ``end`` from which most days of events that show were ahead, the latest of them."""
    horizon = panel.horizon
    first = max(_EVENTS_FROM, end - _EVENTS_FROM)
    if panel.frequency != "D" or end - horizon < first:
        return ()
    days = np.cumsum(np.r_[0, ground(panel.until(end, 0), table).of_days[:end]])
    ahead = days[first + horizon : end + 1] - days[first : end + 1 - horizon]
    most = int(ahead.max())
    return (first + int(np.flatnonzero(ahead == most)[-1]),) if most else ()


def _looked(
    seen: Ground, kind: Kind, names: tuple[str, ...], against: tuple[str, ...], rows: NDArray[np.int64], panel: Panel
) -> Looked:
    said = each_of(seen, (*names, *against), rows)
    said[label(names)] = np.mean([said[name] for name in names], axis=0)
    part = seen.panel.some(rows)
    place = {name: number for number, name in enumerate(panel.ids)}
    came = panel.values[[place[name] for name in part.ids]][:, part.length : part.length + part.horizon]
    return Looked(
        kind,
        panel.length - part.length,
        part.ids,
        came,
        said,
        intervals.spread(seen.level, seen.ahead)[rows],
        accuracy.step_scale(part.values),
        seen.of_event,
    )


def label(names: tuple[str, ...]) -> str:
    return "+".join(names)


def _chosen(panel: Panel, kind: Kind, series: int, upper: bool, past: list[Looked]) -> tuple[str, ...]:
    """The methods of the kind, or the naive one where it was better at the origins looked back on."""
    names = policy.methods(panel.frequency, kind, series, upper)
    past = in_league(past)
    if len(past) < 2:
        return names
    own, naive = (_error(past, name) for name in (label(names), policy.NAIVE))
    return (policy.NAIVE,) if naive < _BETTER * own else names


def _error(past: list[Looked], name: str) -> float:
    """The mean RMSSE over series and origins."""
    return accuracy.mean(np.concatenate([accuracy.rmsse(at.actual, at.said[name], at.scale) for at in past]))


def _rows(
    seen: Ground, kind: Kind, rows: NDArray[np.int64], names: tuple[str, ...], past: list[Looked]
) -> pd.DataFrame:
    part = seen.panel.some(rows)
    mean = np.mean(list(each_of(seen, names, rows).values()), axis=0)
    if kind == "new":
        mean = analogues.pooled(part, mean)
    spread = intervals.spread(seen.level, seen.ahead)[rows]
    found = _bounds(past, label(names), seen.of_event)
    counted = (part.values[~np.isnan(part.values)] % 1 == 0).all()
    columns: dict[str, Floats] = {"mean": mean}
    for level in intervals.LEVELS:
        low, high = found.around(mean, spread, level)
        columns[f"lo{level}"], columns[f"hi{level}"] = (np.floor(low), np.ceil(high)) if counted else (low, high)
    if counted:
        # Of what sells less than ten a period, a whole number would no longer be the expectation.
        often = np.nanmean(part.values, axis=1) >= _WHOLE_FROM
        columns["mean"] = np.where(often[:, None], np.round(mean), mean)
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.array(part.ids, dtype=object), part.horizon),
            "ds": np.tile(part.dates[part.length :].to_numpy(), len(part.ids)),
            "model": label(names),
            **{name: values.ravel() for name, values in columns.items()},
        }
    )


def _bounds(past: list[Looked], name: str, event: NDArray[np.bool_]) -> Bounds:
    return intervals.bounds([at.ratios(name) for at in past], event) if past else intervals.guessed(len(event))


def league_of(kind: Kind, chosen: tuple[str, ...], past: list[Looked]) -> list[list[object]]:
    """How each method of the kind did at the origins looked back on, as rows of ``LEAGUE``."""
    judged = in_league(past)
    if not judged:
        return []
    actual = np.concatenate([at.actual for at in judged])
    rows: list[list[object]] = []
    for name in judged[0].said:
        expected = np.concatenate([at.said[name] for at in judged])
        used = name == label(chosen)
        inside = [_covered(past, name, level) for level in intervals.LEVELS]
        rows.append(
            [
                kind, name, used, len({name for at in judged for name in at.ids}), accuracy.wape(actual, expected),
                _error(judged, name), accuracy.bias(actual, expected), *inside,
            ]
        )  # fmt: skip
    return rows


def in_league(past: list[Looked]) -> list[Looked]:
    """The origins one horizon apart."""
    return [at for at in past if at.before <= ORIGINS * at.actual.shape[1]]


def _covered(past: list[Looked], name: str, level: int) -> float:
    """The share of what came at the later origins within the intervals that the earlier ones gave."""
    hits = []
    for at in in_league(past)[1:]:
        known = _bounds([earlier for earlier in past if earlier.before > at.before], name, at.event)
        low, high = known.around(at.said[name], at.spread, level)
        hits.append((at.actual >= low) & (at.actual <= high))
    return float(np.concatenate(hits).mean()) if hits else float("nan")
