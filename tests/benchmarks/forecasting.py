"""How good forecasts are, by protocols that others can repeat; each runs what ``python -m models forecast`` runs.

weekly: 300 series of 143 weeks, four origins, 8 weeks ahead. daily: 300 products of Online Retail, spread over its
volumes, four origins 28 days apart, everything on calendar days. spare parts: monthly, the last year month by month.
events: eight made-up series with the peaks of Chinese retail, 28 days around Double 11 and Spring Festival.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from lunardate import LunarDate
from numpy.typing import NDArray

from models.forecasting import accuracy, engine, events, intermittent, levels, panel, products
from models.jobs import forecast as forecast_job

Floats = NDArray[np.float64]
Figures = dict[str, float]

WEEKLY_ORIGINS = (111, 119, 127, 135)
WEEKS_AHEAD = 8
DAYS_AHEAD = 28
_SKUS = 300


def weekly(file: Path) -> Figures:
    """Through the command: rmsse, wape, coverage80, coverage95; CPU: ms_per_series, starting_s (means)."""
    rows = pd.read_parquet(file).rename(columns={"uid": "unique_id"})[["unique_id", "ds", "y"]]
    table = rows.pivot(index="unique_id", columns="ds", values="y")
    values, dates = table.to_numpy(), table.columns
    errors, scaled, hits, spent = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for origin in WEEKLY_ORIGINS:
            known, out = Path(folder) / "known.parquet", Path(folder) / "out.csv"
            rows[rows["ds"] < dates[origin]].to_parquet(known)
            done = subprocess.run(
                [sys.executable, "-m", "models", "forecast", known, "--horizon", str(WEEKS_AHEAD), "--out", out],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            spent.append(_seconds(done.stderr))
            found = pd.read_csv(out).pivot(index="unique_id", columns="ds").reindex(table.index)
            came = values[:, origin : origin + WEEKS_AHEAD]
            said = found["mean"].to_numpy()
            errors.append(np.abs(came - said).sum() / np.abs(came).sum())
            scaled.append(accuracy.rmsse(came, said, accuracy.step_scale(values[:, :origin])))
            hits.append([_inside(came, found, level) for level in (80, 95)])
    forecasting, starting = np.mean(spent, axis=0)
    cover = np.mean(hits, axis=0)
    return {
        "rmsse": float(np.mean(np.concatenate(scaled))), "wape": float(np.mean(errors)),
        "coverage80": float(cover[0]), "coverage95": float(cover[1]),
        "ms_per_series": 1000 * forecasting / len(table), "starting_s": starting,
    }  # fmt: skip


def _seconds(told: str) -> tuple[float, float]:
    """CPU seconds of forecasting and of imports and compilation, as the command says them."""
    words = told.split("CPU: ")[1].split()
    return float(words[0]), float(words[words.index("series),") + 1])


def _inside(came: Floats, found: pd.DataFrame, level: int) -> float:
    return float(((came >= found[f"lo{level}"].to_numpy()) & (came <= found[f"hi{level}"].to_numpy())).mean())


def daily(file: Path) -> Figures:
    """rmsse beside that of TSB(.05, .05) on the same series, and ms_per_series (of CPU, intervals included)."""
    lines = pd.read_parquet(file, columns=["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price"])
    sold = lines[~lines["Invoice"].astype(str).str.startswith("C") & (lines["Quantity"] > 0) & (lines["Price"] > 0)]
    sums = sold.groupby(["StockCode", sold["InvoiceDate"].dt.normalize()])["Quantity"].sum().unstack()
    days = pd.date_range(sums.columns.min(), sums.columns.max())
    full = sums.reindex(columns=days).fillna(0.0)
    before = full.iloc[:, : -4 * DAYS_AHEAD]
    enough = before[(before > 0).sum(axis="columns") >= 20].sum(axis="columns").sort_values(ascending=False).index
    values = full.loc[enough[np.linspace(0, len(enough) - 1, _SKUS).astype(int)]].to_numpy()
    return _against_tsb(values, days, "D", DAYS_AHEAD, (4, 3, 2, 1), (0.05, 0.05))


def spare_parts(file: Path) -> Figures:
    """rmsse beside that of the best of Croston, SBA and TSB(.1, .1), month by month over the last year."""
    values = pd.read_parquet(file).to_numpy(dtype=np.float64).T
    values = values[~np.isnan(values).any(axis=1)]
    months = pd.date_range("2000-01-01", periods=values.shape[1], freq="MS")
    return _against_tsb(values, months, "M", 1, tuple(range(12, 0, -1)), (0.1, 0.1))


def _against_tsb(
    values: Floats, dates: pd.DatetimeIndex, frequency: panel.Frequency, ahead: int, backs: Iterable[int],
    weights: tuple[float, float],
) -> Figures:  # fmt: skip
    ours: list[Floats] = []
    others: dict[str, list[Floats]] = {"tsb": [], "croston": [], "sba": []}
    spent = 0.0
    for back in backs:
        end = values.shape[1] - back * ahead
        known = np.where(np.cumsum(values[:, :end] > 0, axis=1) > 0, values[:, :end], np.nan)
        begun = ~np.isnan(known[:, -1])
        known, came = known[begun], values[begun, end : end + ahead]
        scale = accuracy.step_scale(known)
        started = time.process_time()
        said = engine.forecast(_panel(known, dates[: end + ahead], frequency)).rows["mean"].to_numpy()
        spent += time.process_time() - started
        ours.append(accuracy.rmsse(came, said.reshape(came.shape), scale))
        levels = {
            "tsb": textbook_tsb(known, *weights),
            "croston": intermittent.croston(known),
            "sba": intermittent.croston(known, corrected=True),
        }
        for name, level in levels.items():
            others[name].append(accuracy.rmsse(came, np.repeat(level[:, None], ahead, axis=1), scale))
    count = sum(len(one) for one in ours)
    found = {name: float(np.nanmean(np.concatenate(each))) for name, each in others.items()}
    return {"rmsse": float(np.nanmean(np.concatenate(ours))), **found, "ms_per_series": 1000 * spent / count}


def _panel(known: Floats, dates: pd.DatetimeIndex, frequency: panel.Frequency) -> panel.Panel:
    ids = tuple(f"{number:05d}" for number in range(len(known)))
    return panel.Panel(ids, dates, known, frequency, panel.SEASONS[frequency])


def textbook_tsb(values: Floats, demand_weight: float, chance_weight: float) -> Floats:
    """TSB as it is printed: size and chance start from the first demand and the wait for it."""
    found = np.empty(len(values))
    for row, series in enumerate(values):
        known = series[~np.isnan(series)]
        first = int(np.argmax(known > 0))
        size, chance = known[first], 1 / (first + 1)
        for value in known[first + 1 :]:
            chance += chance_weight * ((value > 0) - chance)
            if value > 0:
                size += demand_weight * (value - size)
        found[row] = size * chance
    return found


# The peaks of the made-up series: multipliers of the days up to an event, of the two weeks before and the one after
# Spring Festival.
_PEAKS: Mapping[tuple[int, int], float] = {(6, 18): 2.2, (11, 11): 2.8, (2, 14): 1.6, (12, 12): 1.5}
_RUN_UP_DAYS = 4
_SPRING_BEFORE, _SPRING_AFTER = 1.35, 0.45
WINDOWS = {"double_11": "2025-10-25", "spring_festival": "2026-02-01"}


def event_series(seed: int = 1, series: int = 8) -> pd.DataFrame:
    """Three years of daily sales with a weekly and a yearly wave, growth, 8 % of noise, and the peaks."""
    random = np.random.default_rng(seed)
    dates = pd.date_range("2023-01-01", "2026-03-20")
    factor = pd.Series(1.0, dates)
    for year in range(2022, 2028):
        for (month, day), peak in _PEAKS.items():
            last = pd.Timestamp(year, month, day)
            factor[(dates > last - pd.Timedelta(days=_RUN_UP_DAYS)) & (dates <= last)] *= peak
        new_year = pd.Timestamp(LunarDate(year, 1, 1).toSolarDate())
        factor[(dates >= new_year - pd.Timedelta(days=14)) & (dates < new_year)] *= _SPRING_BEFORE
        factor[(dates >= new_year) & (dates < new_year + pd.Timedelta(days=7))] *= _SPRING_AFTER
    week = np.array([0.85, 0.82, 0.84, 0.9, 1.05, 1.35, 1.2])[dates.day_of_week]
    frames = []
    for number in range(series):
        level, growth, phase = 10 * random.lognormal(4, 0.7), random.uniform(-0.05, 0.15), random.uniform(0, 365)
        wave = 1 + 0.1 * np.cos(2 * np.pi * (dates.day_of_year - phase) / 365.25)
        trend = 1 + growth * np.arange(len(dates)) / 365
        y = level * trend * week * wave * factor.to_numpy() * np.exp(0.08 * random.standard_normal(len(dates)))
        frames.append(pd.DataFrame({"unique_id": f"s{number}", "ds": dates, "y": y}))
    return pd.concat(frames, ignore_index=True)


def event_windows(seed: int = 1) -> Iterator[tuple[str, Figures]]:
    """Per window the wape of our forecast and that of Prophet with its own holidays of China."""
    rows = event_series(seed)
    for name, day in WINDOWS.items():
        origin = pd.Timestamp(day)
        end = origin + pd.Timedelta(days=DAYS_AHEAD)
        known = rows[rows["ds"] <= origin]
        came = rows[(rows["ds"] > origin) & (rows["ds"] <= end)].pivot(index="unique_id", columns="ds", values="y")
        read = panel.read(known, DAYS_AHEAD)
        said = engine.forecast(read, events.china()).rows.pivot(index="unique_id", columns="ds", values="mean")
        yield (
            name,
            {
                "wape": accuracy.wape(came.to_numpy(), said.to_numpy()),
                "country_holidays": accuracy.wape(came.to_numpy(), _country_holidays(read)),
            },
        )


def _country_holidays(read: panel.Panel) -> Floats:
    from prophet import Prophet

    found = []
    for series in read.values:
        model = Prophet(uncertainty_samples=0)
        model.add_country_holidays("CN")
        model.fit(pd.DataFrame({"ds": read.dates[: read.length], "y": series}))
        found.append(model.predict(pd.DataFrame({"ds": read.dates[read.length :]}))["yhat"].to_numpy())
    return np.stack(found)


def chain(stores: int = 20, each: int = 800, categories: int = 12, seed: int = 1) -> Figures:
    """A made-up chain of ``stores`` x ``each`` products, all levels with ranges and backtest, as the batch does them:
    CPU seconds of this process and its children, and how far the levels are from adding up."""
    random = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=728)
    week = np.array([0.85, 0.82, 0.84, 0.9, 1.05, 1.35, 1.2])[days.day_of_week]
    wave = 1 + 0.2 * np.cos(2 * np.pi * days.day_of_year.to_numpy() / 365.25)
    level = np.clip(random.lognormal(np.log(0.1), 1.1, (stores, each)), 0.005, 8)
    sold = random.poisson(level[:, :, None] * (week * wave)).reshape(-1, len(days)).astype(np.float64)
    store = np.repeat([f"S{number:02d}" for number in range(stores)], each)
    product = np.tile(np.arange(each), stores)
    category = np.array([f"C{number:02d}" for number in product % categories])
    wide = pd.DataFrame(sold, columns=days).groupby([store, category]).sum()
    units = wide.rename_axis(["store_id", "category"]).melt(ignore_index=False, var_name="day", value_name="units")
    region_of = {name: f"R{row % 4}" for row, name in enumerate(np.unique(store).tolist())}
    no_offers = pd.DataFrame(columns=["store_id", "category", "product_id", "starts_on", "ends_on", "discount"])
    started = _cpu()
    found = levels.forecast(
        units.reset_index(), region_of, days[-1], forecast_job.HORIZON_DAYS, events.china(), no_offers
    )
    assert found is not None
    weeks = forecast_job.weeks_of_categories(found.forecast)
    names = {name: levels.key_of(name) for at in found.past for name in at.ids}
    of_stores = {name: (key[1], key[2]) for name, key in names.items() if key[0] == "store" and key[2]}
    rows, past = [], []
    for part in np.array_split(np.unique(store), max(1, len(store) // 8_000)):
        mine = np.isin(store, part)
        traits = np.stack([pd.factorize(category[mine])[0], product[mine]], axis=1).astype(np.float64)
        on_offer = np.zeros((int(mine.sum()), len(days) + forecast_job.HORIZON_DAYS))
        ids = np.char.add("P", product[mine].astype(str))
        items = products.Items(store[mine], ids, category[mine], sold[mine], on_offer, traits)
        back = products.look_back(items, found.past, of_stores, forecast_job.HORIZON_DAYS)
        rows.append(products.forecast(items, weeks[weeks["store_id"].isin(part)], back))
        past += back
    judged = products.league(past)
    spent = _cpu() - started
    return {
        "series": len(store), "cpu_s": round(spent, 1), "league": len(judged),
        "off": _off(found.forecast, pd.concat(rows), weeks),
    }  # fmt: skip


def _cpu() -> float:
    return sum(os.times()[:4])


def _off(places: pd.DataFrame, of_products: pd.DataFrame, weeks: pd.DataFrame) -> float:
    """The largest difference between a sum and its parts, as a share of the sum."""
    by = places[places["category"].isna()].groupby(["level", "ds"])["mean"].sum().unstack("level")
    parts = places[places["category"].notna()].groupby(["level", "ds"])["mean"].sum().unstack("level")
    sums = [by["region"] - by["chain"], by["store"] - by["chain"], parts["store"] - by["chain"]]
    worst = max(float((one.abs() / by["chain"]).max()) for one in sums)
    whole = weeks.set_index(["store_id", "category"]).stack()
    shared = of_products.groupby(["store_id", "category", "week"])["mean"].sum()
    apart = (shared - whole.rename_axis(shared.index.names)).abs() / whole.clip(lower=1e-9)
    return max(worst, float(apart.to_numpy().max()))


def tables(data: Path) -> Iterable[dict[str, object]]:
    """Every protocol whose data are there."""
    for name, protocol, file in (
        ("weekly", weekly, data / "walmart_store_dept" / "weekly.parquet"),
        ("daily", daily, data / "online_retail" / "online_retail.parquet"),
        ("spare parts", spare_parts, data / "carparts" / "carparts.parquet"),
    ):
        if file.exists():
            yield {"protocol": name, **protocol(file)}
    for name, figures in event_windows():
        yield {"protocol": name, **figures}
    yield {"protocol": "chain", **chain()}
