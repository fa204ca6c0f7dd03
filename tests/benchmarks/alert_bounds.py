"""How many shocks anybody could find in the series of small stores, and after how many days a lasting one is found.

A twin of the chain's series is drawn whose truth is known: of each store and day the number of receipts is a Poisson
count around what the bands expected, the amounts are drawn from the chain's own receipts. Nothing real scatters less.
Two who know that truth, the mean and the law of every single day, are asked beside the bands, at the same share of
false alarms: the oracle, who like the bands looks at how far out a value lies, and the Neyman and Pearson test, which
is told the size of the shock as well: no rule whatever finds more of them in one day.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sqlalchemy import Engine, text

from data_access.snapshot import Snapshot
from models.calc import alerts
from models.forecasting.events import china
from models.forecasting.panel import Floats, Panel
from tests.benchmarks.alerts import JUDGED, SHOCKS, Found, daily_series, found, inject, multiplied, outness

_STEPS = 12  # of a mean receipt: amounts are told apart by so much
_LASTS = 21  # days of a lasting shock
_ONSETS = 8


@dataclass(frozen=True)
class Twin:
    """Made-up series in whole steps, with the law of each judged value: series x judged x steps."""

    panel: Panel
    law: Floats


def bounds(snapshot: Snapshot) -> Iterator[tuple[str, Found]]:
    """Shocks of single days found in the twins of receipts and sales by the bands, the oracle and the best test."""
    receipts = dict(daily_series(snapshot))["orders"]
    mean = _truth(receipts)
    for name, amounts in (("receipts", np.array([0.0, 1.0])), ("sales", _amounts(snapshot.engine))):
        for row in compared(twin(receipts, mean, amounts)):
            yield f"{name} a day, drawn", row


def compared(made: Twin, shocks: Sequence[float] = SHOCKS) -> tuple[Found, Found, Found]:
    """The bands, the oracle and the best test on the same shocks."""

    def bands(panel: Panel, judged: int) -> Floats:
        return outness(alerts.bands(panel, china(), judged)[1].p)

    judged, series = JUDGED["D"], made.panel
    return (
        found("bands", series, judged, bands, inject, shocks=shocks),
        found("oracle", series, judged, partial(_oracle, made), inject, shocks=shocks),
        _best(made, shocks),
    )


def attainable(mean: float, scatter: float = 1.0, factor: float = 0.5) -> tuple[float, float]:
    """Of the days of a steady series that are multiplied by ``factor``, the shares found at 1 % false alarms by whoever
    knows the law of its counts: by how far out a day lies, to the sides as the bands do, and told that it is a loss.

    The law is Poisson's, or negative binomial where the variance is ``scatter`` times the mean. On the border a coin
    is tossed, so that false alarms are 1 % to the letter.
    """
    law = stats.poisson(mean) if scatter == 1 else stats.nbinom(mean / (scatter - 1), 1 / scatter)
    counts = np.arange(int(law.ppf(1 - 1e-12)) + 1)
    chance = law.pmf(counts)
    shocked = np.zeros(len(counts) + 1)
    whole = np.floor(counts * factor).astype(int)
    for place, share in ((whole, 1 - (counts * factor - whole)), (whole + 1, counts * factor - whole)):
        np.add.at(shocked, place, chance * share)

    def beyond(order: NDArray[np.int64], allowed: float) -> float:
        at = int(np.searchsorted(chance[order].cumsum(), allowed))
        inside = order[:at]
        coin = (allowed - chance[inside].sum()) / chance[order[at]]
        return float(shocked[inside].sum() + coin * shocked[order[at]])

    below = alerts.NOMINAL * alerts.BELOW
    sides = beyond(counts, below) + beyond(counts[::-1], alerts.NOMINAL - below)
    return sides, beyond(counts, alerts.NOMINAL)


def by_day_or_week(chance: Mapping[int, Floats]) -> NDArray[np.bool_]:
    """What a day or the seven days up to it say together, each at half of the nominal chance."""
    found_: NDArray[np.bool_] = (chance[1] < alerts.NOMINAL / 2) | (chance[7] < alerts.NOMINAL / 2)
    return found_


def false_alarms(panel: Panel) -> float:
    """The share of the judged days that ``by_day_or_week`` calls unusual as they are."""
    bands = alerts.bands(panel, china(), JUDGED["D"], (1, 7))
    known = ~np.isnan(bands[1].p) & ~np.isnan(bands[7].p)
    return float(by_day_or_week({many: one.p for many, one in bands.items()})[known].mean())


@dataclass(frozen=True, slots=True)
class Lasting:
    """Of the shocks that begin on some day and stay: the share found on their first, second and later days by the bands
    of seven days, and the share found up to that day by day or week, at 1 % false alarms each."""

    on_day: list[float]
    up_to_day: list[float]


def lasting(panel: Panel, factor: float = 0.5) -> Lasting:
    """Of ``_ONSETS`` days of each series."""
    judged, rng = JUDGED["D"], np.random.default_rng(1)
    onsets = np.linspace(panel.length - judged + 7, panel.length - _LASTS, _ONSETS).astype(int)
    on, up_to, known = np.zeros(_LASTS), np.zeros(_LASTS), np.zeros(_LASTS)
    for onset in onsets:
        values = panel.values[:, : onset + _LASTS].copy()
        values[:, onset:] = multiplied(values, factor, rng)[:, onset:]
        cut = replace(
            panel,
            values=values,
            dates=panel.dates[: values.shape[1]],
            known={name: part[:, : values.shape[1]] for name, part in panel.known.items()},
        )
        chance = {many: one.p for many, one in alerts.bands(cut, china(), _LASTS, (1, 7)).items()}
        judged_ = ~np.isnan(chance[7])
        on += (chance[7] < alerts.NOMINAL).sum(axis=0)
        up_to += (np.logical_or.accumulate(by_day_or_week(chance), axis=1) & judged_).sum(axis=0)
        known += judged_.sum(axis=0)
    shares = [[round(float(share), 3) for share in hits / np.maximum(known, 1)] for hits in (on, up_to)]
    return Lasting(*shares)


def twin(panel: Panel, mean: Floats, amounts: Floats, seed: int = 1) -> Twin:
    """Series of sums of as many receipts as a Poisson count around ``mean`` says.

    amounts: the law of one receipt, the chance of each number of steps.
    """
    rng = np.random.default_rng(seed)
    count = rng.poisson(np.nan_to_num(mean))
    value = rng.choice(len(amounts), count.sum(), p=amounts)
    total = np.zeros(count.size)
    np.add.at(total, np.repeat(np.arange(count.size), count.ravel()), value)
    values = np.where(np.isnan(panel.values) | np.isnan(mean), np.nan, total.reshape(count.shape))
    made = replace(panel, values=values, known={})
    judged = mean[:, -JUDGED["D"] :]
    size = 1 << int(np.ceil(np.log2(2.2 * np.nanmax(values) + 64)))
    # The law of a sum of a Poisson number of receipts, by its transform.
    wave = np.fft.rfft(amounts, size)
    law = np.fft.irfft(np.exp(np.nan_to_num(judged)[:, :, None] * (wave - 1)), size, axis=2)
    return Twin(made, np.maximum(law, 0.0))


def _truth(panel: Panel) -> Floats:
    """The mean of each store and day: what the bands expected, and before they began the local mean."""
    expected = alerts.bands(panel, china(), panel.length - 2 * alerts.LEAST)[1].expected
    mean = pd.DataFrame(panel.values).T.rolling(57, center=True, min_periods=14).mean().T.to_numpy().copy()
    mean[:, -expected.shape[1] :] = np.where(np.isnan(expected), mean[:, -expected.shape[1] :], expected)
    found_: Floats = mean
    return found_


def _amounts(engine: Engine) -> Floats:
    """The law of the amount of a counted receipt, in steps."""
    with engine.connect() as connection:
        query = text("SELECT gross_sales FROM sale_order WHERE exclusion IS NULL AND gross_sales > 0")
        amounts = np.array([float(row[0]) for row in connection.execute(query)])
    steps = np.round(np.minimum(amounts, 12 * amounts.mean()) / amounts.mean() * _STEPS).astype(int)
    counted: Floats = np.bincount(steps) / len(steps)
    return counted


def _places(made: Twin, panel: Panel) -> NDArray[np.int64]:
    values = np.nan_to_num(panel.values[:, -JUDGED["D"] :]).astype(np.int64)
    return np.minimum(values, made.law.shape[2] - 1)[:, :, None]


def _oracle(made: Twin, panel: Panel, judged: int) -> Floats:
    """The chance of a value as far out, of which the two sides have the shares that the bands give them."""
    at = _places(made, panel)
    here = np.take_along_axis(made.law, at, 2)[:, :, 0]
    below = np.take_along_axis(made.law.cumsum(axis=2), at, 2)[:, :, 0]
    less, more = below - here / 2, 1 - below + here / 2
    chance = np.minimum(less / alerts.BELOW, more / (1 - alerts.BELOW))
    return np.where(np.isnan(panel.values[:, -judged:]), np.nan, outness(np.clip(chance, 0, 1)))


def _best(made: Twin, shocks: Sequence[float]) -> Found:
    """By the ratio of the chances of a value with and without the shock, its size known."""
    at_rate, at_own = {}, {}
    for factor in shocks:
        size = made.law.shape[2]
        shocked_law = np.zeros_like(made.law)
        for step in range(size):
            exact = step * factor
            low, part = int(exact), exact - int(exact)
            for place, share in ((low, 1 - part), (low + 1, part)):
                if place < size:
                    shocked_law[:, :, place] += share * made.law[:, :, step]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(shocked_law) - np.log(made.law)

        def ask(panel: Panel, judged: int, ratio: Floats = ratio) -> Floats:
            out = np.take_along_axis(ratio, _places(made, panel), 2)[:, :, 0]
            return np.where(
                np.isnan(panel.values[:, -judged:]), np.nan, np.nan_to_num(out, nan=-99.0, posinf=99.0, neginf=-99.0)
            )

        rows = found("best test", made.panel, JUDGED["D"], ask, inject, shocks=(factor,))
        at_rate[factor], at_own[factor] = rows.found[factor], float("nan")
    return Found("best test, told the shock", 0.01, at_rate, at_own)
