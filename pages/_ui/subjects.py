"""What a page is about (a store, product or receipt): named by the URL, checked against the scope, put in words."""

from dataclasses import dataclass
from datetime import date

import pandas as pd
import streamlit as st

from data_access.errors import Problem
from data_access.scope import Scope
from models.reports.order import OrderReport
from pages._ui import drill, filters, i18n, load, params, session
from pages._ui import format as fmt
from pages._ui.i18n import localized, localized_text, t

_PRODUCT_NAMES = {
    "product": "product.name",
    "brand": "product.brand",
    "category": "product.category",
    "subcategory": "product.subcategory",
}


@dataclass(frozen=True, slots=True)
class Store:
    """One store within the scope of the reader."""

    store_id: str
    name: str
    scope: Scope
    above: tuple[drill.Step, ...]


def chosen_store(scope: Scope) -> Store | None:
    """The store that ``?store=`` names, or the first in scope when it names none; None when it is out of reach."""
    stores = _in_scope(scope)
    asked = drill.asked("store") or (str(stores["store_id"].iloc[0]) if len(stores) else "")
    found = stores[stores["store_id"] == asked]
    if found.empty:
        return None
    row = found.iloc[0]
    name = localized_text("store.name", row["store"])
    return Store(asked, name, scope.narrow([asked]), (*_places_above(row, stores), drill.Step(name)))


def _places_above(store: pd.Series, stores: pd.DataFrame) -> tuple[drill.Step, ...]:
    """The region and the city of a store as levels of a breadcrumb, each where the reader has more than one."""
    steps = []
    near = stores[stores["region_id"] == store["region_id"]]
    region = ("region", str(store["region_id"]))
    if stores["region_id"].nunique() > 1:
        steps.append(drill.Step(localized_text("region.name", store["region"]), "overview", (region,)))
    if not fmt.is_missing(store["city"]) and near["city"].nunique() > 1:
        there = ",".join(near.loc[near["city"] == store["city"], "store_id"])
        steps.append(drill.Step(localized_text("store.city", store["city"]), "overview", (region, ("stores", there))))
    return tuple(steps)


def narrowed_to() -> tuple[drill.Step, ...]:
    """The region and the city that the filters leave, the last of them as where the reader stands; nothing where they
    leave all."""
    steps = _left()
    return (*steps[:-1], drill.Step(steps[-1].label)) if steps else ()


def _left() -> tuple[drill.Step, ...]:
    """The region and the city that the filters leave, as levels of a breadcrumb."""
    stores = _in_scope(session.current_scope())
    picked = [store_id for store_id in params.get("stores").split(",") if store_id]
    left = stores[stores["store_id"].isin(picked)] if picked else stores[stores["region_id"] == params.get("region")]
    if left.empty or left["region_id"].nunique() > 1:
        return ()
    steps = _places_above(left.iloc[0], stores)
    if left["city"].nunique() > 1:
        steps = tuple(step for step in steps if "stores" not in dict(step.ids))
    return steps


def places_to(store_id: str | None) -> tuple[drill.Step, ...]:
    """The levels above whatever was opened from a place: those down to the store, or what the filters leave."""
    return step_of(store_id) if store_id else _left()


def category_step(category: object, store_id: str | None) -> tuple[drill.Step, ...]:
    """The category of a product as a level of a breadcrumb, in the store the reader came from; none without one."""
    if fmt.is_missing(category) or not session.may_open("category"):
        return ()
    ids = {"goods": str(category), "store": store_id or ""}
    return (drill.Step(localized_text("product.category", str(category)), "category", tuple(ids.items())),)


def store_choice() -> None:
    """A select box that changes the store of the page; nothing when the reader has only one."""
    stores = load.named_places(load.generation())
    seen = stores[stores["store_id"].map(session.current_scope().allows)]
    names = dict(zip(seen["store_id"], seen["store"], strict=True))
    if len(names) < 2:
        return
    asked = drill.asked("store")
    shown = asked if asked in names else (None if asked else next(iter(names)))
    st.session_state["store_choice"] = shown
    st.selectbox(
        t("store.choose"),
        list(names),
        index=None if shown is None else 0,  # what is shown stands in the session; an index of its own would be ignored
        key="store_choice",
        format_func=lambda store_id: localized_text("store.name", names[store_id]),
        placeholder=t("store.choose"),
        label_visibility="collapsed",
        width=260,
        on_change=_choose,
    )


def _choose() -> None:
    if st.session_state["store_choice"]:
        st.query_params["store"] = st.session_state["store_choice"]


def step_of(store_id: str | None) -> tuple[drill.Step, ...]:
    """The store and the places above it as levels of a breadcrumb, when there is one and the reader may see it."""
    stores = _in_scope(session.current_scope())
    found = stores[stores["store_id"] == store_id]
    if found.empty:
        return ()
    store = found.iloc[0]
    step = drill.Step(localized_text("store.name", store["store"]), "store", (("store", str(store_id)),))
    return (*_places_above(store, stores), step)


def opens_after(header: pd.Series, day: date) -> bool:
    """Whether a store opened after ``day``; ``header``: a row of the store report's header."""
    return not fmt.is_missing(header["opened_on"]) and header["opened_on"].date() > day


@dataclass(frozen=True, slots=True)
class Category:
    """One category of the range, in one store or in all that the filters leave."""

    category: str
    name: str
    store: str | None
    scope: Scope


def chosen_category(scope: Scope) -> Category | None:
    """The category that ``?goods=`` names, in the store of ``?store=`` if there is one; None when either is unknown
    or out of reach."""
    asked, store = drill.asked("goods"), drill.asked("store")
    if asked is None or asked not in load.categories(scope, load.generation()) or (store and not step_of(store)):
        return None
    name = localized_text("product.category", asked)
    return Category(asked, name, store, scope.narrow([store]) if store else scope)


def chosen_product(scope: Scope) -> pd.Series | None:
    """The header of the product that ``?product=`` names, in the language of the run, with its category's id as the
    data has it; None when there is none."""
    info = load.snapshot().info
    if info.first_day is None or info.last_day is None:
        return None
    _, period = filters.chosen_period(info.first_day, info.last_day, info.currency)
    try:
        report = load.product(scope, period, drill.asked("product") or "", load.generation())
    except Problem:
        return None
    return localized(report.header.assign(category_id=report.header["category"]), _PRODUCT_NAMES).iloc[0]


def demand_steps(product: pd.Series, store: Store | None) -> tuple[drill.Step, ...]:
    """The levels above the demand of a product: all stores or one, its category there, and the product."""
    place = () if store is None else (("store", store.store_id),)
    steps = [drill.Step(t("page.demand"), "demand")]
    if store is not None:
        steps.append(drill.Step(store.name, "demand", place))
    category = product["category_id"]
    if not fmt.is_missing(category):
        name = localized_text("product.category", str(category))
        # A filter in force stays in the URL by itself.
        narrowed = () if params.get("category") == category else (("category", str(category)),)
        steps.append(drill.Step(name, "demand", (*place, *narrowed)))
    return (*steps, drill.Step(product["product"]))


def chosen_order(scope: Scope) -> OrderReport | None:
    """The receipt that ``?order=`` names; None when there is none in scope."""
    try:
        return load.order(scope, drill.asked("order") or "", load.generation())
    except Problem:
        return None


def product_steps(receipt: OrderReport) -> tuple[drill.Step, ...]:
    """The product that a receipt was opened from and its category as levels of a breadcrumb, if it holds it."""
    lines = receipt.lines[receipt.lines["product_id"] == drill.asked("product")]
    if lines.empty or not session.may_open("product"):
        return ()
    line, store = lines.iloc[0], str(receipt.header["store_id"].iloc[0])
    ids = (("product", str(line["product_id"])), ("store", store))
    name = localized_text("product.name", line["product"])
    return (*category_step(line["category"], store), drill.Step(name, "product", ids))


def product_facts(header: pd.Series, currency: str) -> list[tuple[str, str]]:
    """What is known about a product, as label and text; ``header``: a row of the product report's header."""
    usage = "" if fmt.is_missing(header["usage_days"]) else fmt.days(header["usage_days"])
    return [
        (t("column.brand"), _text(header["brand"])),
        (t("column.category"), " › ".join(filter(None, (_text(header["category"]), _text(header["subcategory"]))))),
        (t("column.pack_size"), _text(header["pack_size"])),
        (t("column.list_price"), fmt.money(header["list_price"], currency)),
        (t("column.launched_on"), fmt.day(header["launched_on"])),
        (t("column.usage_days"), usage),
        (t("column.sku"), _text(header["sku"])),
    ]


def receipt_facts(header: pd.Series) -> list[tuple[str, str]]:
    """What is known about a receipt, as label and text; ``header``: a row of the order report's header."""
    customer = t("order.unknown_customer") if fmt.is_missing(header["customer_key"]) else str(header["customer_key"])
    return [
        (t("column.ordered_at"), fmt.instant(header["ordered_at"])),
        (t("column.store"), _text(header["store"])),
        (t("column.channel"), _key_text("channel", header["channel"])),
        (t("column.device"), _key_text("device", header["device"])),
        (t("column.customer_key"), customer),
        (t("column.staff_id"), _text(header["staff_id"])),
    ]


def _key_text(prefix: str, value: object) -> str:
    return i18n.word(prefix, _text(value))


def _text(value: object) -> str:
    return "" if fmt.is_missing(value) else str(value)


def store_facts(header: pd.Series) -> list[tuple[str, str]]:
    """What is known about a store, as label and text; ``header``: a row of the store report's header."""
    area = "" if fmt.is_missing(header["area_m2"]) else t("store.area", area=fmt.count(header["area_m2"]))
    tier = "" if fmt.is_missing(header["city_tier"]) else t(f"city_tier.{header['city_tier']}")
    return [
        (t("column.city"), _text(header["city"])),
        (t("column.city_tier"), tier),
        (t("column.area_m2"), area),
        (t("column.opened_on"), fmt.day(header["opened_on"])),
        (t("column.closed_on"), fmt.day(header["closed_on"])),
        (t("column.store_id"), str(header["store_id"])),
    ]


def _in_scope(scope: Scope) -> pd.DataFrame:
    stores = load.places(load.generation())
    return stores if scope.kind == "chain" else stores[stores["store_id"].isin(scope.store_ids)]
