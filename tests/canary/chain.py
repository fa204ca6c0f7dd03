"""Four stores in two regions. Every store, region, product, customer, receipt, campaign and member of staff carries a
random mark, and so does everything that identifies a person."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from data_access import schema
from data_access.crm import crm_engine, prepare
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.refresh import refresh

REGIONS = {"east": ("S1", "S2"), "south": ("S3", "S4")}
STORES = tuple(store for stores in REGIONS.values() for store in stores)
REGION_OF = {store: region for region, stores in REGIONS.items() for store in stores}
LAST_DAY = date(2026, 11, 20)
CUSTOMERS_EACH, ORDERS_EACH = 4, 5

_MARKS = "marks.json"


@dataclass(frozen=True)
class Mark:
    """A text that occurs nowhere else. kind: what carries it; stores: whoever may see one of them may see it."""

    text: str
    kind: str
    stores: tuple[str, ...]


@dataclass(frozen=True)
class Ids:
    """What stands in addresses: the ids of the first customer, receipt and product of a store, its staff's and its own.

    contact: name, phone and e-mail of that customer.
    """

    store: str
    region: str
    product: str
    order: str
    customer: str
    staff: str
    contact: dict[str, str]


@dataclass(frozen=True)
class Chain:
    home: Path
    marks: tuple[Mark, ...]
    ids: dict[str, Ids]  # by S1 .. S4

    def keep(self) -> None:
        content = {"marks": [asdict(mark) for mark in self.marks], "ids": {k: asdict(v) for k, v in self.ids.items()}}
        (self.home / _MARKS).write_text(json.dumps(content), encoding="utf-8")


def kept(home: Path) -> Chain:
    """The chain that ``build`` wrote into ``home``."""
    content = json.loads((home / _MARKS).read_text(encoding="utf-8"))
    marks = tuple(Mark(mark["text"], mark["kind"], tuple(mark["stores"])) for mark in content["marks"])
    return Chain(home, marks, {store: Ids(**ids) for store, ids in content["ids"].items()})


class _Maker:
    """Hands out marks and remembers them."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []

    def __call__(self, kind: str, *stores: str) -> str:
        text = f"{kind}q{secrets.token_hex(6)}"
        self.marks.append(Mark(text, kind, stores))
        return text


def build(home: Path) -> Chain:
    """Writes the chain into the default CRM database of ``home`` and publishes a snapshot."""
    home.mkdir(parents=True, exist_ok=True)
    mark = _Maker()
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    prepare(engine)
    rows, ids = _rows(mark, home)
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)
    refresh(engine, home)
    engine.dispose()
    chain = Chain(home, tuple(mark.marks), ids)
    chain.keep()
    return chain


def _rows(mark: _Maker, home: Path) -> tuple[dict[Table, list[dict[str, Any]]], dict[str, Ids]]:
    region_ids = {region: mark("regionid", *stores) for region, stores in REGIONS.items()}
    store_ids = {store: mark("storeid", store) for store in STORES}
    products = {store: (mark("productid", store), mark("product", store)) for store in STORES}
    campaigns = {store: (mark("campaignid", store), mark("campaign", store)) for store in STORES}
    staff = {store: mark("staffid", store) for store in STORES}
    customers = {store: [mark("customerid") for _ in range(CUSTOMERS_EACH)] for store in STORES}
    orders: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    first_order: dict[str, str] = {}
    for store in STORES:
        for customer in customers[store]:
            for number in range(ORDERS_EACH):
                order = mark("order", store)
                first_order.setdefault(store, order)
                day = LAST_DAY - timedelta(days=(7 * number + len(orders)) % 80)
                orders.append(
                    {
                        "order_id": order,
                        "customer_id": customer,
                        "store_id": store_ids[store],
                        "staff_id": staff[store],
                        "channel": "store",
                        "kind": "sale",
                        "ordered_at": datetime(day.year, day.month, day.day, 4 + number),
                        "currency": "CNY",
                    }
                )
                lines.append(
                    {
                        "order_id": order,
                        "line_no": 1,
                        "product_id": products[store][0],
                        "quantity": Decimal(1 + number),
                        "net": Decimal(100 + 10 * number),
                    }
                )
    key = secret_key(home)
    for store in STORES:
        for customer in customers[store]:
            mark.marks.append(Mark(customer_key(customer_number(key, customer)), "customer", (store,)))
    rows: dict[Table, list[dict[str, Any]]] = {
        schema.region: [{"region_id": region_ids[r], "name": mark("region", *stores)} for r, stores in REGIONS.items()],
        schema.store: [
            {
                "store_id": store_ids[store],
                "name": mark("store", store),
                "region_id": region_ids[REGION_OF[store]],
                "kind": "shop",
                "time_zone": "Asia/Shanghai",
                "currency": "CNY",
            }
            for store in STORES
        ],
        schema.product: [
            {"product_id": product_id, "name": name, "category": "护肤"} for product_id, name in products.values()
        ],
        schema.staff: [
            {"staff_id": staff[store], "home_store_id": store_ids[store], **_personal(schema.staff, mark)}
            for store in STORES
        ],
        schema.customer: [
            {
                "customer_id": customer,
                "account_type": "person",
                "home_store_id": store_ids[store],
                "joined_on": date(2026, 1, 1),
                **_personal(schema.customer, mark),
            }
            for store in STORES
            for customer in customers[store]
        ],
        schema.sale_order: orders,
        schema.sale_line: lines,
        schema.campaign: [
            {
                "campaign_id": campaign_id,
                "name": name,
                "starts_on": LAST_DAY - timedelta(days=30),
                "ends_on": LAST_DAY - timedelta(days=20),
            }
            for campaign_id, name in campaigns.values()
        ],
        schema.campaign_member: [
            {"campaign_id": campaigns[store][0], "customer_id": customer, "arm": "gift"}
            for store in STORES
            for customer in customers[store]
        ],
        schema.data_source: [
            {"source_id": "1", "kind": "demo", "name": "marked chain", "loaded_at": datetime(2026, 11, 20, 10)}
        ],
    }
    contacts = {row["customer_id"]: row for row in rows[schema.customer]}
    ids = {
        store: Ids(
            store_ids[store],
            region_ids[REGION_OF[store]],
            products[store][0],
            first_order[store],
            customer_key(customer_number(key, customers[store][0])),
            staff[store],
            {field: contacts[customers[store][0]][field] for field in ("name", "phone", "email")},
        )
        for store in STORES
    }
    return rows, ids


def _personal(table: Table, mark: _Maker) -> dict[str, Any]:
    """A marked value for every text that identifies a person, and a birthday of somebody grown up."""
    values: dict[str, Any] = {}
    for column in table.c:
        if not column.info.get("pii"):
            continue
        if column.type.python_type is date:
            values[column.name] = date(1990, 1, 1) + timedelta(days=secrets.randbelow(4_000))
        else:
            values[column.name] = mark(f"pii{column.name}")[: column.type.length]
    return values


def foreign_to(chain: Chain, role: str) -> Iterator[Mark]:
    """The marks that somebody must not see: a manager of S1, the head of the east, marketing, an administrator, and
    somebody who sells in S1."""
    own = {"manager": {"S1"}, "regional": set(REGIONS["east"]), "marketing": set(STORES), "staff": {"S1"}}
    for mark in chain.marks:
        if mark.kind.startswith("pii") or mark.kind == "customerid":
            yield mark  # nobody sees these on any page
        elif role == "administrator" and mark.kind in ("store", "storeid", "region", "regionid", "staffid"):
            continue  # accounts are given stores, regions or one of the staff
        elif role == "marketing" and mark.kind in ("order", "staffid"):
            yield mark  # works with sums, not with single receipts
        elif role == "staff" and mark.kind not in ("staffid", "store", "storeid"):
            yield mark  # sees nobody but themselves
        elif not own.get(role, set()) & set(mark.stores):
            yield mark


def own_of(chain: Chain, role: str) -> list[Mark]:
    """The marks that somebody may see."""
    foreign = set(foreign_to(chain, role))
    return [mark for mark in chain.marks if mark not in foreign]
