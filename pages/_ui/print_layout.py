"""Which columns of a report's table a printed page shows, and what their values are.

A sheet of paper has room for eight columns and no patience for the steps of a method: those are in the workbook.
Tables that are not named here show their first columns.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from models.metrics import METRICS
from pages._ui import tables, worded
from pages._ui.i18n import exists

# Rules, checks and curves of a method, which its page draws and nobody reads as rows.
WORKBOOK_ONLY = frozenset(
    {
        "calibration", "check", "checks", "concentration", "cuts", "decomposition", "fit", "forecast", "generation",
        "history", "holdout", "lifecycle_rule", "limits", "named_rule", "parameters", "pareto", "path", "rfm", "rule",
        "rules", "second_visit", "series", "slots", "times", "value_rule", "watched", "weeks",
    }
)  # fmt: skip

# Where the first eight columns are not the ones to read. Tables of one name are of several pages: what one of them
# has not is passed over.
_COLUMNS: Mapping[str, str] = {
    "at_risk": "customer_key store state usual_gap days_since probability_gone net_sales value_at_risk",
    "alerts": "store name metric key day starts_on value expected earlier lo lo95 hi hi95 change_ratio",
    "among": "measure value tenths people",
    "arms": "arm planned_share people visitors buyers orders",
    "by_store": "store region field known unknown net_sales units orders previous last_year share",
    "campaigns": "name state starts_on targeted reached buyers credited_sales cost incremental_margin incremental_lo "
    "incremental_hi caused caused_lo caused_hi roi verdict share_delivered share_opened share_clicked share_bought",
    "coupons": "coupon_code campaign kind face_value claimed redeemed redemption_rate discount_given margin valid_to",
    "coverage": "course_name store people current share",
    "demand": "product category on_hand on_order demand_month demand_p90 demand_quarter suggested_quantity",
    "due": "customer_key product expected_on from_on until_on amount in_stock store",
    "effects": "course_name people factor before after effect lo95 hi95 verdict",
    "events": "name invited attended attended_rate attended_bought attended_bought_rate absent_rate",
    "gaps": "part step base rate_step rest_rate difference lo95 hi95 lost verdict",
    "growth": "month new previous_new growth lo95 hi95",
    "header": "store product name region city kind type brand category list_price launched_on area_m2 opened_on "
    "ordered_at customer_key channel objective starts_on ends_on window_last cost segment stage tier joined_on units "
    "gross_sales net_sales",
    "kinds": "type campaigns measured cost incremental_margin incremental_lo incremental_hi earned_per_unit",
    "lapsed": "customer_key store reason event_day days_since net_sales",
    "late_orders": "supplier store product ordered_on promised_on days_late open_quantity amount",
    "lift": "metric treated control difference lo95 hi95 relative",
    "lines": "product category quantity list_price discount net tax",
    "members": "key store segment value_class loyalty members bought rate lo95 hi95 customers orders visits "
    "last_day net_sales",
    "needs": "store measure value team_value course_name completed_on",
    "orders": "supplier store product suggested_quantity order_value available days_of_cover stockout_probability",
    "outcomes": "outcome customers rate_overall lo95 hi95",
    "parts": "part step customers base rate_step lo95 hi95",
    "people": "customer_key store target gross_sales attainment hours units receipts last_day reach customers minors "
    "contactable contactable_share contacts_without_consent",
    "person": "store role shifts hours net_sales adjusted standing average_ticket",
    "products": "product category quadrant net_sales units compared_with change change_ratio contribution next_week "
    "expected last_year growth sell_through days_of_cover stock_value gmroi money_at_risk",
    "ready": "customer_key store category band ready_category ready_band gross_sales",
    "reasons": "reason customers lapsed_share stayed_share difference_of_shares lo95 hi95",
    "recent_orders": "ordered_at store customer_key units gross_sales net_sales",
    "recommendations": "product category list_price because buyers share lift in_stock",
    "records": "staff_id store course_name completed_on expires_on state score",
    "returns": "product returned_at store own_gaps customers returned rate lo95 hi95 quantity refund reason",
    "staff": "staff_id store role hours net_sales adjusted lo95 hi95 standing average_ticket",
    "steps": "step customers stopped rate_overall rate_step lo95 hi95 median_hours",
    "stores": "store region stores net_sales warnings last_year target sold attainment expected lo80 hi80 pace growth "
    "compared_with change contribution conversion average_ticket margin_rate gap_to_peers money_at_risk days_of_cover "
    "stock_value sell_through others difference lo95 hi95 customers contactable contactable_share units nameless "
    "on_shelf",
    "timeline": "at text store amount units points",
    "to_do": "subject list store marked",
    "transfers": "product from_name to_name quantity near_expiry gain lane_cost saving",
    "treatments": "segment customers campaign starts_on response_rate lo95 hi95 control_rate",
    "unassigned": "customer_key store orders net_sales last_day",
    "verdict": "verdict worth incremental incremental_lo incremental_hi cost roi roi_lo roi_hi",
    "warnings": "store product money_at_risk available days_of_cover stockout_probability suggested_quantity reason",
}

# Values whose kind neither the registry nor the lists of the pages say: by column, or by table and column.
_KINDS: Mapping[str, tables.Kind] = {
    **dict.fromkeys(
        ("judged", "hits", "bought", "eligible", "run_outs", "people", "colleagues", "members", "pairs",
         "lines", "visitors", "tickets", "cases", "both", "named", "current", "found", "needed", "area_m2",
         "with_maintenance", "sold", "lost_people", "known", "unknown", "month_number",
         "predicted_customers", "line_no", "points", "points_balance", "n", "day_number"),
        "count",
    ),
    **dict.fromkeys(
        ("team_share", "up_share", "down_share", "difference_of_shares", "matched_difference", "planned_share",
         "control_rate", "response_rate", "chance", "current_share"),
        "percent",
    ),
    **dict.fromkeys(("growth", "relative", "change_ratio"), "change"),
    **dict.fromkeys(("incremental", "worth", "amount", "threshold", "spent", "sold", "curve.treated", "curve.control",
                     "stores.expected", "months.sold"), "money"),
    **dict.fromkeys(("curve.difference",), "signed"),
    **dict.fromkeys(
        ("roi", "times", "lift", "earned_per_unit", "ramp.ratio", "per_hour", "usual_per_hour", "score"), "decimal"
    ),
    **dict.fromkeys(("gaps.difference", "reasons.difference_of_shares"), "percent"),
    "training.effect": "change", "missing_hours": "tenth",
    "campaigns.lift": "percent", "at": "instant", "ds": "day", "week_ends": "day", "month_end": "day",
}  # fmt: skip

# Figures of tables that have one in each row, beside those of the registry; of a comparison of groups, per person.
_UNITS: Mapping[str, tables.Kind] = {
    **dict.fromkeys(("price", "spend", "margin", "raw_per_hour"), "money"),
    **dict.fromkeys(("active_share", "first_contact", "follow_up_rate", "visit"), "percent"),
    **dict.fromkeys(("nps", "lift.orders"), "decimal"),
    **dict.fromkeys(
        ("delivery_rate", "open_rate", "click_rate", "claim_rate", "redemption_rate", "conversion_rate"), "percent"
    ),
}
_BY_ROW = frozenset({"lift.difference", "adjusted.difference"})
_FIGURE = ("metric", "measure", "key", "lever", "factor")  # columns that say which figure a row has
_INTERVAL = re.compile(r"(?:^|_)lo(?:95|80)?$")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_OF_STORES, _AROUND = ("by_store", "stores"), ("by_region", "by_city")
_KEPT_IDS = ("customer_key", "staff_id")
_TOLD_APART = "complete"  # months that are from those that are not; where none is, there is nothing to tell apart


# Columns that are called otherwise than those of their name elsewhere: units that lie there, not units sold.
_SAID: Mapping[str, str] = {"ageing.units": "on_hand"}


def said(table: str, column: str) -> str:
    """What a column of a table is called."""
    return tables.label(_SAID.get(f"{table}.{column}", column))


@dataclass(frozen=True, slots=True)
class Field:
    """One printed column. until: the column of the upper end, of a range. kind: None where each row has its own."""

    column: str
    kind: tables.Kind | None
    until: str = ""


def of_one_store(report: Mapping[str, pd.DataFrame]) -> Mapping[str, pd.DataFrame]:
    """``report``; of a single store, without the lists of that one row and without its name in each row of the others:
    the scope above says it."""
    if not any(name in report and len(report[name]) == 1 and "store" in report[name] for name in _OF_STORES):
        return report
    several = {name: frame for name, frame in report.items() if len(frame) > 1 or name not in (*_OF_STORES, *_AROUND)}
    return {
        name: frame.drop(columns="store") if "store" in frame and len(frame) > 1 and frame["store"].nunique() == 1
        else frame
        for name, frame in several.items()
    }  # fmt: skip


def in_words(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with its keys as words, without the rows whose own figure has no word; empty where most have none."""
    said = worded.in_words(frame)
    told = pd.Series(True, index=frame.index)
    for column in _FIGURE:
        if column in said:
            told &= ~said[column].map(_is_key)
    return said[told & (2 * told.sum() >= len(frame))]


def fields(name: str, frame: pd.DataFrame, most: int) -> list[Field]:
    """The columns of ``frame``, with its keys as words, that are printed of the table ``name``, at most ``most``."""
    wanted = [column for column in _COLUMNS.get(name, "").split() if column in frame]
    found: list[Field] = []
    for column in wanted or map(str, frame):
        values = frame[column].dropna()
        if values.empty or not _is_read(column, values, alone=len(frame.columns) == 1):
            continue
        if _INTERVAL.search(column):
            until = _INTERVAL.sub(lambda found: found.group().replace("lo", "hi"), column)
            if until in frame and found and not found[-1].until:
                found.append(Field(column, found[-1].kind, until))
        elif not (found and found[-1].until == column):
            found.append(Field(column, kind(name, column, frame)))
    return found[:most]


def kind(name: str, column: str, frame: pd.DataFrame) -> tables.Kind | None:
    """What the values of a column of the table ``name`` are; None where each row says by its figure."""
    if f"{name}.{column}" in _BY_ROW:
        return None
    if frame[column].map(lambda value: isinstance(value, str)).any() and tables.kind_of(column) != "month":
        return "text"
    if column == "effect" and "factor" in frame:  # of the others it is a share of sales
        return "signed"
    known = _KINDS.get(f"{name}.{column}") or _KINDS.get(column)
    if known:
        return known
    known = tables.kind_of(column)
    values = frame[column]
    if known != "text" or values.dtype.kind not in "iuf":
        return known
    if any(one in frame for one in _FIGURE):
        return None
    return "count" if (values.dropna() % 1 == 0).all() else "decimal"


def kinds_of_rows(name: str, frame: pd.DataFrame) -> list[tables.Kind]:
    """What the values of each row are, by the figure it has; ``frame`` as the report gives it."""
    column = next(one for one in _FIGURE if one in frame)
    return [_kind_of_figure(name, str(figure)) for figure in frame[column]]


def _kind_of_figure(name: str, figure: str) -> tables.Kind:
    own = _UNITS.get(f"{name}.{figure}") or _UNITS.get(figure)
    return own or (METRICS[figure].unit if figure in METRICS else "text")


def _is_read(column: str, values: pd.Series, *, alone: bool) -> bool:
    """Whether a reader can read it: no ids beside a name, no keys that have no words, nothing without a heading."""
    if column in _KEPT_IDS:
        return True
    if column == _TOLD_APART and not values.any():
        return False
    if (column.endswith("_id") and not alone) or not (column in METRICS or exists(f"column.{column}")):
        return False
    return not all(map(_is_key, values))


def _is_key(value: object) -> bool:
    return isinstance(value, str) and _KEY.fullmatch(value) is not None
