"""One module per topic: queries and calculations put together to a report ready to draw."""

from models.reports._shape import tables
from models.reports.registry import REPORTS, Parameter, Report, find

__all__ = ["REPORTS", "Parameter", "Report", "find", "tables"]
