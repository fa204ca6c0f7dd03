"""Reports: one module per topic, from queries and calculations to frames that are ready to draw."""

from models.reports._shape import tables

__all__ = ["tables"]
