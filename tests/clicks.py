"""What a click on each chart of each page does, and how a test clicks.

A chart that is not in here fails ``test_clicks``: whoever draws a new one says what a click on it does. Names may end
with ``*`` where a page draws the same chart of several things.
"""

import ast
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

PAGES = Path(__file__).parents[1] / "pages"

# The chart -> the page that a click opens.
OPENS = {
    "alerts_band": "why",
    "attribution_credit": "campaign",
    "campaign_calendar": "campaign",
    "campaign_funnel": "funnel",
    "customer_axis": "order",
    "demand_categories": "demand",
    "demand_stores": "demand",
    "category_stores": "category",
    "overview_categories": "category",
    "overview_stores": "store",
    "overview_top": "product",
    "product_stores": "store",
    "readiness_loads": "store",
    "staff_compared": "staff_member",
    "stock_quadrants": "product",
    "stock_*_categories": "stock",
    "stock_*_stores": "stock",
    "store_categories": "category",
    "store_falling": "product",
    "store_top": "product",
    "stores_gaps": "store",
    "stores_limits": "store",
    "stores_map": "store",
    "stores_weeks": "store",
    "suppliers_lead_times": "suppliers",
    "target_paces": "store",
    "why_stores": "store",
}
# The chart -> the parameters of the URL by which a click narrows the page, so that it can be sent and Back undoes it.
NARROWS = {
    "attribution_messages": {"part"},
    "attribution_overlap": {"part"},
    "category_days": {"period", "from", "to"},
    "funnel_steps": {"step"},
    "overview_days": {"period", "from", "to"},
    "overview_regions": {"region", "stores"},  # of somebody with one region: its cities
    "product_days": {"period", "from", "to"},
    "profile_fields": {"fix"},
    "retention_cohorts": {"pick"},
    "run_out_days": {"pick"},
    "segments_abc": {"pick"},
    "segments_cross_*": {"pick"},
    "segments_five_phase": {"pick"},
    "segments_four_stage": {"pick"},
    "segments_grid": {"pick"},
    "segments_likes_*": {"pick"},
    "segments_moves_*": {"pick"},
    "segments_named": {"pick"},
    "segments_quadrants": {"pick"},
    "segments_with_maintenance": {"pick"},
    "store_days": {"period", "from", "to"},
    "value_grid": {"pick"},
    "why_factors": {"by", "ratio"},
}
_CURVE = "a curve or a model's check: its points are no group of anybody"
_SUM = "parts of one sum, for which the list below or beside it opens"
_MONTHS = "months of a figure that is worked out by month only"
_ESTIMATE = "estimates of the whole, with their ranges"
# The chart -> why there is nothing to open; its table is one click away all the same.
READS = {
    "audience_channels": _SUM,
    "campaign_curve": _CURVE,
    "campaign_effects": _ESTIMATE,
    "customer_favourites": "shares of one customer's basket; what was bought stands in the list beside it",
    "demand_chart": _CURVE,
    "product_demand_weeks": _CURVE,
    "funnel_times": _CURVE,
    "lapse_*": _CURVE,
    "mine_months": _MONTHS,
    "mine_strengths": _SUM,
    "retention_curve": _CURVE,
    "retention_growth": _MONTHS,
    "retention_new": _MONTHS,
    "retention_second": _CURVE,
    "retention_visits": _CURVE,
    "run_out_held": _CURVE,
    "scorecard_*": _MONTHS,
    "segments_flows_*": "a sankey reports no clicks; the matrix below it opens who moved",
    "segments_older": _MONTHS,
    "segments_pareto": "a curve; the classes beside it open",
    "spending_migration": _SUM,
    "staff_months": _MONTHS,
    "staff_strengths": _SUM,
    "stock_ageing": _SUM,
    "store_hours": "an average hour of the week is no receipt; the hours ahead stand on the readiness page",
    "target_months": _MONTHS,
    "training_coverage": _SUM,
    "training_effects": _ESTIMATE,
    "training_ramp": _CURVE,
    "value_check": _CURVE,
    "value_curve": _CURVE,
    "why_customers": _SUM,
    "why_products": _SUM,
}


def declared(key: str) -> list[str]:
    """The names under which a chart stands above."""
    return [name for name in (*OPENS, *NARROWS, *READS) if fnmatchcase(key, name)]


def drawn_in_code() -> Iterator[tuple[str, str]]:
    """(how, key) of each chart that a page or its parts draw: show, clicked or kept; what varies in a key is ``*``."""
    for path in sorted(PAGES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in ("show", "clicked", "kept") and ast.unparse(node.func.value) == "charts":
                value = next(one.value for one in node.keywords if one.arg == "key")
                yield node.func.attr, _pattern(value)


def _pattern(key: ast.expr) -> str:
    if isinstance(key, ast.Constant):
        return str(key.value)
    if isinstance(key, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in key.values)
    return "*"


def key_of(element: Any) -> str:
    """The key that the page gave a chart."""
    return str(element.proto.id).rsplit("-", 1)[-1]


def marks(element: Any) -> list[Any]:
    """What each mark of a chart carries, first, middle and last of every series that carries ids."""
    found = []
    for trace in json.loads(element.proto.spec)["data"]:
        carried = [one for one in trace.get("customdata") or [] if one and isinstance(one, list) and one[0]]
        if trace.get("hoverinfo") != "skip" and carried:
            found += [carried[0], carried[len(carried) // 2], carried[-1]]
    return found


def click(at: AppTest, element: Any, carried: Any) -> None:
    """Clicks a mark, as the browser tells it: callbacks run, then the page."""
    point = {"customdata": {str(place): value for place, value in enumerate(carried)}}
    said = {"selection": {"points": [point], "point_indices": [0], "box": [], "lasso": []}}
    states = at._tree.get_widget_states()
    state = states.widgets.add()
    state.id = element.proto.id
    state.string_value = json.dumps(said)
    at._run(states)
