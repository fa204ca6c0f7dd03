"""Order: one receipt, where every drill ends."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.queries import orders
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class OrderReport:
    """Money in the chain's currency, excluding tax; nobody is named, the customer is a pseudonymous key."""

    currency: str
    # one row: the receipt; ordered_at is store-local; exclusion: why it counts nowhere (NA: it counts);
    # returns: refunds linked to it so far; net_sales = gross_sales - returns
    header: Annotated[
        pd.DataFrame,
        Columns(
            "order_id ordered_at store_id store customer_key staff_id channel device exclusion units lines "
            "gross_sales returns net_sales tax discount"
        ),
    ]
    # one row per line; list_price per unit including tax, net for the line
    lines: Annotated[
        pd.DataFrame, Columns("line_no product_id product category quantity list_price discount net tax coupon_code")
    ]
    # one row per returned line of this receipt, oldest first
    returns: Annotated[
        pd.DataFrame,
        Columns("return_id line_no order_line_no product_id product returned_at store_id store quantity refund reason"),
    ]


def order(snapshot: Snapshot, scope: Scope, order_id: str) -> OrderReport:
    """One receipt of a store in scope; Problem when there is none by that id."""
    header = orders.order_header(scope, snapshot.engine, order_id)
    if header.empty:
        raise Problem(f"there is no order {order_id!r} in your scope: open one from a store or a product")
    returns = orders.order_returns(scope, snapshot.engine, order_id)
    refunded = returns["refund"].sum()
    frames = select_columns(
        OrderReport,
        header=header.assign(returns=refunded, net_sales=header["gross_sales"] - refunded),
        lines=orders.order_lines(scope, snapshot.engine, order_id),
        returns=returns,
    )
    return OrderReport(snapshot.info.currency, **frames)
