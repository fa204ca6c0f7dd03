"""The reports by name: what each needs and which tables it gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from data_access.errors import Problem
from data_access.marts.segment_rules import MONETARY, TIE_RULES
from data_access.queries._groups import DIMENSIONS
from data_access.queries.attribution import DAYS as CREDIT_DAYS
from data_access.queries.funnel import GROUPINGS
from models.reports._shape import declared_tables
from models.reports.alerts import AlertsReport, alerts
from models.reports.allocation import AllocationReport, allocation
from models.reports.attribution import AttributionReport, attribution
from models.reports.campaign import CampaignReport, campaign
from models.reports.campaign_stock import CampaignStockReport, campaign_stock
from models.reports.campaigns import CampaignsReport, campaigns
from models.reports.category import CategoryReport, category
from models.reports.coupons import CouponsReport, coupons
from models.reports.crossing import CrossingReport, crossing
from models.reports.customer import CustomerReport, customer
from models.reports.demand import DemandReport, demand
from models.reports.festivals import FestivalsReport, festivals
from models.reports.funnel import COUNTED, FunnelReport, funnel
from models.reports.funnel_detail import FunnelDetailReport, funnel_detail
from models.reports.funnels import FunnelsReport, funnels
from models.reports.health import HealthReport, health
from models.reports.lapse import LapseReport, lapse
from models.reports.lot import LotReport, lot
from models.reports.movement import SCHEMES, FlowsReport, MovementReport, flows, movement
from models.reports.order import OrderReport, order
from models.reports.overview import OverviewReport, overview
from models.reports.own import OwnReport, own
from models.reports.preferences import GROUPINGS as PREFERENCE_GROUPINGS
from models.reports.preferences import THINGS, PreferencesReport, preferences
from models.reports.privacy import PrivacyReport, privacy
from models.reports.product import ProductReport, product
from models.reports.product_demand import ProductDemandReport, product_demand
from models.reports.profile_quality import STALE_MONTHS, ProfileQualityReport, profile_quality
from models.reports.readiness import ReadinessReport, readiness
from models.reports.reasons import ReasonsReport, reasons
from models.reports.retention import RetentionReport, retention
from models.reports.run_out import AHEAD, RunOutReport, run_out
from models.reports.run_out import MEMBERS as RUN_OUT_MEMBERS
from models.reports.scorecard import ScorecardReport, scorecard
from models.reports.segments import MEMBERS, SegmentsReport, segments
from models.reports.shelves import SERVICE_LEVEL
from models.reports.spending import SpendingReport, spending
from models.reports.staff import StaffMemberReport, StaffReport, staff, staff_member
from models.reports.staff_goals import StaffGoalsReport, staff_goals
from models.reports.stock import ROWS as STOCK_ROWS
from models.reports.stock import StockReport, stock
from models.reports.store import StoreReport, store
from models.reports.stores import StoresReport, stores
from models.reports.suppliers import SuppliersReport, suppliers
from models.reports.targets import TargetsReport, targets
from models.reports.training import TrainingReport, training
from models.reports.treatments import TreatmentsReport, treatments
from models.reports.value import HORIZON, ValueReport, value
from models.reports.value import MEMBERS as VALUE_MEMBERS
from models.reports.why import AGAINST, BY, RATIOS, WhyMixReport, WhyReport, why, why_mix


@dataclass(frozen=True, slots=True)
class Parameter:
    """What ``--param name=value`` may set: the function's argument, how text is read, and a word on it."""

    name: str
    argument: str
    read: Callable[[str], Any]
    help: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its function takes a snapshot, a scope, then a period or a day or neither, then its parameters."""

    name: str
    function: Callable[..., Any]
    result: type
    over: Literal["period", "as_of", "nothing"]
    parameters: tuple[Parameter, ...] = ()

    @property
    def tables(self) -> dict[str, tuple[str, ...]]:
        """The tables it gives and their columns."""
        return declared_tables(self.result)


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return text

    return read


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def _months(text: str) -> int | None:
    return None if text == "all" else _whole(text)


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("a number between 0 and 1") from None


_ALL = (
    Report(
        "overview",
        overview,
        OverviewReport,
        "period",
        (Parameter("category", "category", str, "the goods of one category; all without"),),
    ),
    Report(
        "segments",
        segments,
        SegmentsReport,
        "as_of",
        (
            Parameter("monetary", "monetary", _one_of(*MONETARY), "what M scores: net_sales (default) or gross_sales"),
            Parameter("window_months", "window_months", _months, "months up to the day; all (default): all history"),
            Parameter("tie_rule", "tie_rule", _one_of(*TIE_RULES), "behind the named segments: keep_ties (default)"),
            Parameter("abc_a", "abc_a", _share, "share of net sales up to which customers are A, default 0.80"),
            Parameter("abc_b", "abc_b", _share, "share of net sales up to which customers are B, default 0.95"),
            Parameter("members", "members", _whole, f"how many of the list of customers, default {MEMBERS:,}"),
        ),
    ),
    Report(
        "movement",
        movement,
        MovementReport,
        "as_of",
        (
            Parameter("scheme", "scheme", _one_of(*SCHEMES), "between whose groups people move: segment (default)"),
            Parameter("months", "months", _whole, "the month end to compare with lies so many months back, default 3"),
        ),
    ),
    Report(
        "flows",
        flows,
        FlowsReport,
        "as_of",
        (Parameter("scheme", "scheme", _one_of(*SCHEMES), "whose groups: segment (default)"),),
    ),
    Report(
        "crossing",
        crossing,
        CrossingReport,
        "as_of",
        (
            Parameter("rows", "rows", _one_of(*DIMENSIONS), "what customers are parted by, default abc"),
            Parameter("columns", "columns", _one_of(*DIMENSIONS), "and by what else, default owner"),
        ),
    ),
    Report(
        "preferences",
        preferences,
        PreferencesReport,
        "as_of",
        (
            Parameter("by", "by", _one_of(*PREFERENCE_GROUPINGS), "what customers are parted by, default age_band"),
            Parameter("thing", "thing", _one_of(*THINGS), "what they buy, default category"),
        ),
    ),
    Report("treatments", treatments, TreatmentsReport, "as_of"),
    Report(
        "retention",
        retention,
        RetentionReport,
        "as_of",
        (Parameter("months", "months", _months, "how many of the latest cohorts, default 24; all: all of them"),),
    ),
    Report(
        "lapse",
        lapse,
        LapseReport,
        "as_of",
        (Parameter("members", "members", _whole, "how many of the customers at risk, default 1,000"),),
    ),
    Report(
        "reasons",
        reasons,
        ReasonsReport,
        "as_of",
        (Parameter("members", "members", _whole, "how many of the customers who lapsed, default 1,000"),),
    ),
    Report(
        "spending",
        spending,
        SpendingReport,
        "as_of",
        (
            Parameter("members", "members", _whole, "how many customers of each list, default 1,000"),
            Parameter("segment", "segment", str, "the customers of one named segment; all without"),
        ),
    ),
    Report(
        "store",
        store,
        StoreReport,
        "period",
        (Parameter("store", "store_id", str, "the store's id", required=True),),
    ),
    Report(
        "why",
        why,
        WhyReport,
        "period",
        (
            Parameter("against", "against", _one_of(*AGAINST), "compared with last_year (default) or previous"),
            Parameter("category", "category", str, "the goods of one category; all without"),
        ),
    ),
    Report(
        "why_mix",
        why_mix,
        WhyMixReport,
        "period",
        (
            Parameter("against", "against", _one_of(*AGAINST), "compared with last_year (default) or previous"),
            Parameter("ratio", "ratio", _one_of(*RATIOS), "ticket (default), units_per_transaction or price"),
            Parameter("by", "by", _one_of(*BY), "store (default), channel, staff or category (prices only)"),
        ),
    ),
    Report("stores", stores, StoresReport, "period"),
    Report("alerts", alerts, AlertsReport, "nothing"),
    Report("staff", staff, StaffReport, "period"),
    Report(
        "staff_member",
        staff_member,
        StaffMemberReport,
        "period",
        (Parameter("staff", "staff_id", str, "the person's id", required=True),),
    ),
    Report(
        "own",
        own,
        OwnReport,
        "period",
        (Parameter("staff", "staff_id", str, "the person's id", required=True),),
    ),
    Report("staff_goals", staff_goals, StaffGoalsReport, "as_of"),
    Report("targets", targets, TargetsReport, "as_of"),
    Report("training", training, TrainingReport, "as_of"),
    Report("scorecard", scorecard, ScorecardReport, "as_of"),
    Report("readiness", readiness, ReadinessReport, "nothing"),
    Report(
        "category",
        category,
        CategoryReport,
        "period",
        (Parameter("category", "category_", str, "a category of the range", required=True),),
    ),
    Report(
        "product",
        product,
        ProductReport,
        "period",
        (Parameter("product", "product_id", str, "the product's id", required=True),),
    ),
    Report(
        "lot",
        lot,
        LotReport,
        "nothing",
        (
            Parameter("product", "product_id", str, "the product's id", required=True),
            Parameter("lot", "lot_id", str, "the lot; the latest one if left out"),
        ),
    ),
    Report(
        "order",
        order,
        OrderReport,
        "nothing",
        (Parameter("order", "order_id", str, "the order's id", required=True),),
    ),
    Report(
        "value",
        value,
        ValueReport,
        "as_of",
        (
            Parameter("horizon_days", "horizon_days", _whole, f"days that are looked ahead, default {HORIZON}"),
            Parameter("members", "members", _whole, f"how many of the list of customers, default {VALUE_MEMBERS:,}"),
        ),
    ),
    Report(
        "customer",
        customer,
        CustomerReport,
        "nothing",
        (Parameter("customer", "customer_key", str, "the customer's key (pseudonym)", required=True),),
    ),
    Report(
        "run_out",
        run_out,
        RunOutReport,
        "as_of",
        (
            Parameter("ahead_days", "ahead_days", _whole, f"days that are looked ahead, default {AHEAD}"),
            Parameter("category", "category", str, "the goods of one category; all without"),
            Parameter("segment", "segment", str, "the customers of one named segment; all without"),
            Parameter("members", "members", _whole, f"how many of the list, default {RUN_OUT_MEMBERS}"),
        ),
    ),
    Report("health", health, HealthReport, "nothing"),
    Report(
        "privacy",
        privacy,
        PrivacyReport,
        "nothing",
        (
            Parameter("customer_months", "customer_months", _whole, "customers without a purchase for so long are due"),
            Parameter("consent_months", "consent_months", _whole, "consents withdrawn so long ago are due"),
        ),
    ),
    Report(
        "profile_quality",
        profile_quality,
        ProfileQualityReport,
        "as_of",
        (Parameter("stale_months", "stale_months", _whole, f"without an update, default {STALE_MONTHS}"),),
    ),
    Report("allocation", allocation, AllocationReport, "nothing"),
    Report(
        "attribution",
        attribution,
        AttributionReport,
        "nothing",
        (Parameter("days", "days", _whole, f"up to the last day of the data, default {CREDIT_DAYS[0]}"),),
    ),
    Report(
        "campaign_stock",
        campaign_stock,
        CampaignStockReport,
        "nothing",
        (Parameter("campaign", "campaign", str, "the campaign's id", required=True),),
    ),
    Report(
        "campaigns",
        campaigns,
        CampaignsReport,
        "nothing",
        (Parameter("segment", "segment", str, "figures of the customers who were in it the day before; all: default"),),
    ),
    Report(
        "campaign",
        campaign,
        CampaignReport,
        "nothing",
        (Parameter("campaign", "campaign", str, "the campaign's id, default the only one"),),
    ),
    Report(
        "funnel",
        funnel,
        FunnelReport,
        "nothing",
        (
            Parameter("campaign", "campaign", str, "the campaign's id, default every campaign"),
            Parameter("arm", "arm", str, "one arm, default all but the control groups"),
            Parameter("counted", "counted", _one_of(*COUNTED), "in_order (default), any_order or at_least"),
        ),
    ),
    Report(
        "funnel_detail",
        funnel_detail,
        FunnelDetailReport,
        "nothing",
        (
            Parameter("campaign", "campaign", str, "the campaign's id", required=True),
            Parameter("by", "by", _one_of(*GROUPINGS), "whom to compare: segment (default), store, channel or staff"),
            Parameter("counted", "counted", _one_of("in_order", "any_order"), "in_order (default) or any_order"),
            Parameter("window_days", "window_days", _whole, "days of the first step, default no limit"),
            Parameter("arm", "arm", str, "one arm, default all treated together"),
            Parameter("step", "step", str, "the step whose customers to list who went no further, default none"),
            Parameter("members", "members", _whole, "how many of that list, default 1,000"),
        ),
    ),
    Report(
        "coupons",
        coupons,
        CouponsReport,
        "nothing",
        (Parameter("campaign", "campaign", str, "the campaign's id", required=True),),
    ),
    Report("funnels", funnels, FunnelsReport, "nothing"),
    Report(
        "stock",
        stock,
        StockReport,
        "nothing",
        (
            Parameter("service_level", "service_level", _share, f"cycles without a stock-out, default {SERVICE_LEVEL}"),
            Parameter("category", "category", str, "the goods of one category; all without"),
            Parameter("rows", "rows", _whole, f"how many of each list of shelves, default {STOCK_ROWS}"),
        ),
    ),
    Report("suppliers", suppliers, SuppliersReport, "nothing"),
    Report(
        "demand",
        demand,
        DemandReport,
        "nothing",
        (Parameter("category", "category", str, "one category, default all"),),
    ),
    Report(
        "product_demand",
        product_demand,
        ProductDemandReport,
        "nothing",
        (Parameter("product", "product_id", str, "the product's id", required=True),),
    ),
    Report("festivals", festivals, FestivalsReport, "nothing"),
)

REPORTS: dict[str, Report] = {report.name: report for report in _ALL}


def find(name: str) -> Report:
    """The report called ``name``; Problem that lists the names when there is none."""
    if name not in REPORTS:
        raise Problem(f"there is no report {name!r}: the reports are {', '.join(REPORTS)}")
    return REPORTS[name]
