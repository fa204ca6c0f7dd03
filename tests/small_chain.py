"""A chain of five stores for tests of the pages: real tables, a real snapshot, figures that can be added by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st
from sqlalchemy import insert

from data_access import schema
from data_access.crm import crm_engine, prepare
from data_access.refresh import refresh
from data_access.settings import settings

FIRST_DAY = date(2025, 9, 1)
LAST_DAY = date(2026, 11, 20)

REGIONS = {"east": "华东区", "south": "华南区"}
# store id -> (region, name, kind, closed on)
STORES: dict[str, tuple[str, str, str, date | None]] = {
    "S1": ("east", "上海南京路旗舰店", "shop", None),
    "S2": ("east", "杭州万象城店", "shop", None),
    "S3": ("south", "深圳海岸城店", "shop", None),
    "S4": ("south", "天猫旗舰店", "online", None),
    "S5": ("south", "广州旧店", "shop", date(2026, 3, 31)),
}
EAST, SOUTH = ("S1", "S2"), ("S3", "S4", "S5")
ENGLISH = {
    "region.name": {"华东区": "East", "华南区": "South"},
    "store.name": {"上海南京路旗舰店": "Shanghai Nanjing Road", "杭州万象城店": "Hangzhou Mixc"},
}


def build(home: Path, *, demo: bool = True) -> None:
    """Writes the chain into the default CRM database of ``home`` and publishes a snapshot.

    Every open store has one order of two units on every day; an order's amount is 100 in S1, 200 in S2, ... plus
    one for each year. ``demo=False`` marks it as an import, as any other database would be.
    """
    home.mkdir(parents=True, exist_ok=True)
    engine = crm_engine(f"sqlite:///{home / 'crm.sqlite'}")
    prepare(engine)
    orders, lines = [], []
    for number, (store_id, (_, _, _, closed_on)) in enumerate(STORES.items(), start=1):
        day = FIRST_DAY
        while day <= (closed_on or LAST_DAY):
            order_id = f"{store_id}-{day:%Y%m%d}"
            orders.append(
                {
                    "order_id": order_id,
                    "customer_id": f"C{(day.toordinal() * number) % 40}",
                    "store_id": store_id,
                    "channel": "store",
                    "kind": "sale",
                    "ordered_at": datetime(day.year, day.month, day.day, 6),
                    "currency": "CNY",
                }
            )
            amount = Decimal(100 * number + day.year - 2025)
            lines.append(
                {"order_id": order_id, "line_no": 1, "product_id": "P1", "quantity": Decimal(2), "net": amount}
            )
            day += timedelta(days=1)
    rows = {
        schema.region: [{"region_id": key, "name": name} for key, name in REGIONS.items()],
        schema.store: [
            {
                "store_id": key,
                "name": name,
                "region_id": region,
                "kind": kind,
                "closed_on": closed_on,
                "time_zone": "Asia/Shanghai",
                "currency": "CNY",
            }
            for key, (region, name, kind, closed_on) in STORES.items()
        ],
        schema.product: [{"product_id": "P1", "name": "玫瑰精华水", "category": "护肤"}],
        schema.customer: [
            {"customer_id": f"C{number}", "account_type": "person", "joined_on": FIRST_DAY} for number in range(40)
        ],
        schema.sale_order: orders,
        schema.sale_line: lines,
        schema.translation: [
            {"field": field, "source_text": source, "language": "en", "text": text}
            for field, words in ENGLISH.items()
            for source, text in words.items()
        ],
        schema.data_source: [
            {
                "source_id": "1",
                "kind": "demo" if demo else "import",
                "name": "small chain",
                "loaded_at": datetime(2026, 11, 20, 10),
            }
        ],
    }
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(insert(table), values)
    refresh(engine, home)
    engine.dispose()


@contextmanager
def served(home: Path) -> Iterator[Path]:
    """The small chain as the data of this process: its settings and caches begin with it and end with it."""
    build(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIRROR_HOME", str(home))
        settings.cache_clear()
        st.cache_data.clear()
        yield home
    settings.cache_clear()
    st.cache_data.clear()
