"""Returned lines beside the lines they take back."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, cast, func

from data_access.marts.tables import Money, product, return_line, sale_line


def returned(lines: FromClause = sale_line) -> FromClause:
    """Every returned line with the line it takes back, of ``lines``, and its product, where these are known."""
    r, n, p = return_line.c, lines.c, product.c
    line = and_(n.order_id == r.order_id, n.line_no == r.order_line_no)
    return return_line.outerjoin(lines, line).outerjoin(product, p.product_id == r.product_id)


def cost_back(lines: FromClause = sale_line) -> ColumnElement[Any]:
    """What the goods that came back had cost, of ``returned``: that of their line, without a link the product's."""
    unit_cost = cast(lines.c.cost / func.nullif(lines.c.quantity, 0), Money)
    return cast(return_line.c.quantity * func.coalesce(unit_cost, product.c.cost, 0), Money)
