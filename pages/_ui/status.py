"""The health report in words: figures, table states and the verdict on the money."""

import pandas as pd

from data_access.snapshot import Snapshot
from models.reports.health import HealthReport
from pages._ui import format as fmt
from pages._ui.i18n import exists, t

_ORDER = {"columns_missing": 0, "absent": 1, "empty": 2, "ok": 3}


def figures(report: HealthReport, snapshot: Snapshot) -> list[tuple[str, str, str | None]]:
    """Cards: the generation, when it was built, the days it covers, how many tables are filled, what money is off."""
    info, states = snapshot.info, report.table_status["state"]
    cards: list[tuple[str, str, str | None]] = [
        (t("data_health.generation"), snapshot.generation, t("data_health.generation.help")),
        (t("data_health.as_of"), fmt.day_short(info.as_of), fmt.instant(info.as_of)),
        (t("data_health.days"), fmt.compact(_days(info)), fmt.period(info.first_day, info.last_day)),
        (t("data_health.filled"), f"{(states == 'ok').sum()} / {len(states)}", t("data_health.filled.help")),
    ]
    if len(report.reconciliation):
        off = report.reconciliation["difference"].abs().sum()
        cards.append(
            (t("data_health.off"), fmt.money(off, info.currency), t("data_health.off.help")),
        )
    return cards


def _days(info: object) -> int | None:
    first, last = getattr(info, "first_day", None), getattr(info, "last_day", None)
    return (last - first).days + 1 if first and last else None


def money_verdict(reconciliation: pd.DataFrame, currency: str) -> str:
    """One sentence: every amount arrived, or how much did not."""
    off = reconciliation["difference"].abs().sum()
    return t("data_health.whole") if off == 0 else t("data_health.not_whole", amount=fmt.money(off, currency))


def named_figures(reconciliation: pd.DataFrame) -> pd.DataFrame:
    """The reconciliation with its figures in words."""
    return reconciliation.assign(figure=reconciliation["figure"].map(lambda key: _word("figure", key)))


def named_states(table_status: pd.DataFrame) -> pd.DataFrame:
    """The tables, those that need somebody first, with states and disabled pages in words."""
    ordered = table_status.sort_values(
        ["state", "table_name"], key=lambda column: column.map(_ORDER) if column.name == "state" else column
    )
    return ordered.assign(
        state=ordered["state"].map(lambda key: t(f"table_state.{key}")),
        disables=ordered["disables"].map(_pages),
    ).reset_index(drop=True)


def _pages(keys: object) -> str | None:
    if fmt.is_missing(keys) or not str(keys).strip():
        return None
    return t("number.list").join(_part(key.strip()) for key in str(keys).split(","))


def _part(key: str) -> str:
    page, _, part = key.partition(".")
    name = _word("page", page)
    return f"{name} · {_word('part', part)}" if part else name


def _word(prefix: str, key: str) -> str:
    return t(f"{prefix}.{key}") if exists(f"{prefix}.{key}") else key
