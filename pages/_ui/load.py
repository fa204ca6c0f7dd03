"""Cached reports: the only caching in the pages. The arguments are the cache key, so the scope and the generation are
always among them, and never with a leading underscore, which would leave them out of the key."""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.runtime.scriptrunner import add_script_run_ctx

from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.importer import Preview
from data_access.importer import preview as preview_import
from data_access.importing.draft import Found
from data_access.importing.draft import look as look_at_file
from data_access.importing.mapping import Mapping
from data_access.marts.tables import UNKNOWN
from data_access.pseudonym import number_of
from data_access.queries import audience as audience_queries
from data_access.queries import consents as consent_queries
from data_access.queries import places as place_queries
from data_access.queries import products as product_queries
from data_access.queries import reach as reach_queries
from data_access.queries import sales as sales_queries
from data_access.queries import staff as staff_queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.attribution import Part as Reached
from data_access.queries.funnel import Walk
from data_access.queries.preferences import Thing
from data_access.results.info import JobInfo, infos
from data_access.results.progress import Progress, progress
from data_access.scope import Period, Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot, Unusable, current_snapshot, open_snapshot
from data_access.snapshot import unusable as unusable_snapshot
from data_access.state import event_changes
from data_access.state.actions import Action
from data_access.state.costs import Cost
from data_access.state.event_changes import Change
from data_access.state.store import opened
from data_access.state.targets import Target
from data_access.texts import translations as read_translations
from models.reports import REPORTS, tables
from models.reports import profile_quality as profiles
from models.reports.actions import came_of as came_of_actions
from models.reports.alerts import AlertsReport
from models.reports.alerts import alerts as alerts_report
from models.reports.allocation import AllocationReport
from models.reports.allocation import allocation as allocation_report
from models.reports.attribution import AttributionReport
from models.reports.attribution import attribution as attribution_report
from models.reports.attribution import reached as reached_by_messages
from models.reports.audience import AudienceReport, Wish
from models.reports.audience import audience as audience_report
from models.reports.campaign import CampaignReport
from models.reports.campaign import campaign as campaign_report
from models.reports.campaign_stock import CampaignStockReport
from models.reports.campaign_stock import campaign_stock as campaign_stock_report
from models.reports.campaigns import CampaignsReport
from models.reports.campaigns import campaigns as campaigns_report
from models.reports.category import CategoryReport
from models.reports.category import category as category_report
from models.reports.coupons import CouponsReport
from models.reports.coupons import coupons as coupons_report
from models.reports.crossing import CrossingReport
from models.reports.crossing import crossing as crossing_report
from models.reports.customer import CustomerReport
from models.reports.customer import customer as customer_report
from models.reports.demand import DemandReport
from models.reports.demand import demand as demand_report
from models.reports.festivals import FestivalsReport
from models.reports.festivals import festivals as festivals_report
from models.reports.funnel import FunnelReport
from models.reports.funnel import funnel as funnel_report
from models.reports.funnel_detail import FunnelDetailReport, Grouping, stopped_at
from models.reports.funnel_detail import funnel_detail as funnel_detail_report
from models.reports.funnels import FunnelsReport
from models.reports.funnels import choices as funnel_choices
from models.reports.funnels import funnels as funnels_report
from models.reports.health import HealthReport
from models.reports.health import health as health_report
from models.reports.health import quarantined_rows as quarantined_rows_of
from models.reports.health import refreshes as past_refreshes
from models.reports.lapse import MOST_MEMBERS as MOST_LAPSE_MEMBERS
from models.reports.lapse import LapseReport
from models.reports.lapse import lapse as lapse_report
from models.reports.lot import LotReport
from models.reports.lot import lot as lot_report
from models.reports.movement import FlowsReport, MovementReport, moved
from models.reports.movement import flows as flows_report
from models.reports.movement import movement as movement_report
from models.reports.order import OrderReport
from models.reports.order import order as order_report
from models.reports.overview import OverviewReport
from models.reports.overview import overview as overview_report
from models.reports.own import OwnReport
from models.reports.own import own as own_report
from models.reports.preferences import PreferencesReport
from models.reports.preferences import preferences as preferences_report
from models.reports.privacy import PrivacyReport, small_hidden
from models.reports.privacy import privacy as privacy_report
from models.reports.product import ProductReport
from models.reports.product import product as product_report
from models.reports.product_demand import ProductDemandReport
from models.reports.product_demand import product_demand as product_demand_report
from models.reports.profile_quality import ProfileQualityReport
from models.reports.profile_quality import profile_quality as profile_quality_report
from models.reports.provenance import ProvenanceReport
from models.reports.provenance import provenance as provenance_report
from models.reports.readiness import ReadinessReport
from models.reports.readiness import readiness as readiness_report
from models.reports.reasons import MOST_MEMBERS as MOST_REASONS_MEMBERS
from models.reports.reasons import ReasonsReport
from models.reports.reasons import reasons as reasons_report
from models.reports.retention import MOST_MEMBERS as MOST_RETENTION_MEMBERS
from models.reports.retention import CohortCell, RetentionReport
from models.reports.retention import cohort_count as count_of_cohort
from models.reports.retention import cohort_members as cohort_members_of
from models.reports.retention import retention as retention_report
from models.reports.retention import without_order as without_order_of
from models.reports.retention import without_order_count as count_without_order
from models.reports.run_out import MOST_MEMBERS as MOST_RUN_OUTS
from models.reports.run_out import Asked as RunOutAsked
from models.reports.run_out import Learnt, Outlook, RunOutReport
from models.reports.run_out import count as count_of_run_out
from models.reports.run_out import learn as learn_rhythms
from models.reports.run_out import members as run_out_members_of
from models.reports.run_out import outlook_of as run_out_outlook
from models.reports.run_out import run_out as run_out_report
from models.reports.scorecard import ScorecardReport
from models.reports.scorecard import scorecard as scorecard_report
from models.reports.segments import MOST_MEMBERS, MOST_MOVED, USUAL, Move, Part, Rule, SegmentsReport
from models.reports.segments import count as count_of_part
from models.reports.segments import members as members_of_report
from models.reports.segments import segments as segments_report
from models.reports.shelves import kept as kept_shelves
from models.reports.spending import MOST_MEMBERS as MOST_SPENDING_MEMBERS
from models.reports.spending import SpendingReport
from models.reports.spending import spending as spending_report
from models.reports.staff import StaffMemberReport, StaffReport
from models.reports.staff import staff as staff_report
from models.reports.staff import staff_member as staff_member_report
from models.reports.staff_goals import StaffGoalsReport
from models.reports.staff_goals import staff_goals as staff_goals_report
from models.reports.stock import ROWS as STOCK_ROWS
from models.reports.stock import StockReport
from models.reports.stock import shelf as stock_shelf
from models.reports.stock import stock as stock_report
from models.reports.stock import whole_list as whole_stock_list
from models.reports.store import StoreReport
from models.reports.store import store as store_report
from models.reports.stores import StoresReport, peers_of
from models.reports.stores import stores as stores_report
from models.reports.suppliers import SuppliersReport
from models.reports.suppliers import suppliers as suppliers_report
from models.reports.targets import TargetsReport
from models.reports.targets import targets as targets_report
from models.reports.training import TrainingReport
from models.reports.training import training as training_report
from models.reports.treatments import TreatmentsReport
from models.reports.treatments import treatments as treatments_report
from models.reports.value import MOST_MEMBERS as MOST_VALUE_MEMBERS
from models.reports.value import Cell, Check, ValueReport
from models.reports.value import check as check_of_value
from models.reports.value import member_count as count_of_value
from models.reports.value import members_of as members_of_value
from models.reports.value import value as value_report
from models.reports.why import Against, By, Ratio, WhyMixReport, WhyReport
from models.reports.why import why as why_report
from models.reports.why import why_mix as why_mix_report
from pages._ui import year
from pages._ui.i18n import t

# Figures change only with the generation; the limits bound memory, not staleness.
_KEEP = "12h"

# Seconds before a reader is told to wait: a ready answer shows nothing.
_PATIENCE = 0.5

# The generation in use and the one before, for whoever began with that one.
_KEPT_GENERATIONS = 2
_opened: OrderedDict[tuple[Path, str], Snapshot] = OrderedDict()


def snapshot() -> Snapshot:
    """The current snapshot. A run asks once and passes ``generation`` on, so that all its figures agree."""
    home = settings().home
    current = current_snapshot(home)
    _opened[home, current.generation] = current
    _opened.move_to_end((home, current.generation))
    _keep(_KEPT_GENERATIONS)
    return current


def generation() -> str:
    """The key of the current snapshot."""
    return snapshot().generation


def has_data() -> bool:
    """Whether there is anything to show: a snapshot with at least one day of sales."""
    try:
        return snapshot().info.first_day is not None
    except Problem:
        return False


def release_older() -> None:
    """Lets go of the generation before; its memory is free when the last run that began with it has ended."""
    _keep(1)


def unusable() -> Unusable | None:
    """The newer generation that could not be opened, if there is one."""
    return unusable_snapshot(settings().home)


def refreshes(scope: Scope) -> pd.DataFrame:
    """The last refreshes and how they ended, as ``models.reports.health.refreshes`` gives them."""
    return past_refreshes(settings().home, scope)


def batch_progress() -> Progress | None:
    """The batch at work; None when there is none."""
    return progress(settings().home)


def batch_job(job: str, generation: str) -> JobInfo | None:
    """What the results in force hold of a job; None where no batch has tried it."""
    results = _at(generation).results
    return None if results is None else infos(results).get(job)


def _keep(newest: int) -> None:
    while len(_opened) > newest:
        _opened.popitem(last=False)


def _at(generation: str) -> Snapshot:
    """The snapshot a run began with, even when a newer one has become current since.

    LookupError when nobody holds it any more: figures of another generation must not be kept under its name.
    """
    found = open_snapshot(settings().home, generation) or snapshot()
    if found.generation != generation:
        raise LookupError(f"generation {generation} is no longer open; {found.generation} is in use")
    return found


@contextmanager
def working(what: str) -> Iterator[None]:
    """Around a report that no mart holds ready: says what is being computed, and for how many seconds already.

    The line appears after half a second, where the page has come to, and goes when the answer is there.
    """
    line = st.empty()
    done = threading.Event()

    def tell() -> None:
        started = time.monotonic()
        wait = _PATIENCE
        while not done.wait(wait):
            seconds = round(time.monotonic() - started)
            line.markdown(f":material/hourglass_top: :gray[{t('load.working', what=what, seconds=seconds)}]")
            wait = 1

    teller = threading.Thread(target=tell, name="working", daemon=True)
    add_script_run_ctx(teller)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
        line.empty()


@st.cache_data(ttl="1h", max_entries=2, show_spinner=False)
def uploaded_file(path: Path, stamp: str) -> Found:
    """An uploaded file as text; ``stamp``: of this upload. Problem where it is no clean table."""
    return look_at_file(path)


@st.cache_data(ttl="1h", max_entries=2, show_spinner=False)
def import_preview(mapping: str, paths: tuple[Path, ...], stamp: str) -> Preview:
    """What an import of uploaded files would do; ``mapping`` as JSON. Problem as ``preview_import``."""
    return preview_import(Mapping.model_validate_json(mapping), paths, utc_now())


@st.cache_data(ttl=_KEEP, max_entries=4, show_spinner=False)
def places(generation: str) -> pd.DataFrame:
    """All stores of the chain: store_id, store, region_id, region, kind, city, closed_on. To name and expand scopes."""
    frame = place_queries.stores(Scope("chain"), _at(generation).engine)
    return frame[["store_id", "store", "region_id", "region", "kind", "city", "closed_on"]]


def named_places(generation: str) -> pd.DataFrame:
    """The stores of ``places`` that the CRM's own list has. One that only receipts mention counts in the chain's
    figures, but it is an error in the data: nobody chooses it, and no file is made of it."""
    stores = places(generation)
    return stores[stores["kind"] != UNKNOWN]


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def categories(scope: Scope, generation: str) -> tuple[str, ...]:
    """The categories that the stores in scope ever sold or took back, by name."""
    return tuple(product_queries.categories(scope, _at(generation).engine)["category"])


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def lines_sold(scope: Scope, period: Period, category: str, generation: str) -> int:
    """How many lines of counted receipts hold a product of the category."""
    found = sales_queries.by_category(scope, _at(generation).engine, period)
    return int(found.loc[found["category"] == category, "lines"].sum())


def region_stores(region_id: str, generation: str) -> tuple[str, ...]:
    """The stores of a region; none when the region is unknown."""
    stores = places(generation)
    return tuple(stores.loc[stores["region_id"] == region_id, "store_id"])


def translations(language: str, generation: str) -> dict[str, dict[str, str]]:
    """Data texts in ``language`` by field. Nobody writes into them."""
    return _translations(settings().home, language, generation)


# Asked for every name on a page: what Streamlit keeps takes a millisecond to give.
@lru_cache(maxsize=4)
def _translations(home: Path, language: str, generation: str) -> dict[str, dict[str, str]]:
    return read_translations(_at(generation).engine, language)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def agreements(scope: Scope, generation: str) -> tuple[tuple[str, str], ...]:
    """The purposes and channels that adults of the scope agree to, as of the snapshot."""
    frame = consent_queries.coverage(scope, _at(generation).engine)
    live = frame[(frame["channel"] != "") & (frame["live_adults"] > 0)]
    return tuple(zip(live["purpose"], live["channel"], strict=True))


def report_tables(name: str, scope: Scope, period: Period, generation: str) -> dict[str, pd.DataFrame]:
    """The tables of any report with its usual parameters, for a file; kept nowhere."""
    report = REPORTS[name]
    when = {"period": (period,), "as_of": (period.last,), "nothing": ()}[report.over]
    return tables(report.function(_at(generation), scope, *when))


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def allocation(scope: Scope, generation: str) -> AllocationReport:
    return allocation_report(_at(generation), scope)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def attribution(scope: Scope, days: int, generation: str) -> AttributionReport:
    return attribution_report(_at(generation), scope, days)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def reached(scope: Scope, days: int, part: Reached, generation: str) -> pd.DataFrame:
    """Whom messages reached in a part, as far as one list goes."""
    return reached_by_messages(_at(generation), scope, days, part)


@st.cache_data(ttl=_KEEP, max_entries=8, show_spinner=False)
def audience(scope: Scope, as_of: date, wish: Wish, held: tuple[int, ...], generation: str) -> AudienceReport:
    return audience_report(_at(generation), scope, as_of, wish, frozenset(held))


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def audience_offers(scope: Scope, generation: str) -> pd.DataFrame:
    """The products that were sold, to make conditions of."""
    return audience_queries.offers(scope, _at(generation).engine)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def audience_tiers(scope: Scope, generation: str) -> tuple[str, ...]:
    """The tiers that customers are in, the largest first."""
    return tuple(audience_queries.tiers(scope, _at(generation).engine)["tier"])


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def overview(scope: Scope, period: Period, category: str | None, generation: str) -> OverviewReport:
    return overview_report(_at(generation), scope, period, category)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def segments(scope: Scope, as_of: date, generation: str, rule: Rule = USUAL) -> SegmentsReport:
    """The segments without their list of customers."""
    return segments_report(_at(generation), scope, as_of, *rule, members=0)


def segments_in_use(scope: Scope, as_of: date, generation: str) -> tuple[str, ...]:
    """The named segments that somebody is in, best first."""
    named = segments(scope, as_of, generation).named
    return tuple(named.loc[named["customers"] > 0, "segment"])


@st.cache_data(ttl=_KEEP, max_entries=256, show_spinner=False)
def members(
    scope: Scope, as_of: date, generation: str, part: Part, offset: int, limit: int, wanted: Wanted = EVERYBODY
) -> pd.DataFrame:
    """A page of the list of customers of a part."""
    return _members(scope, as_of, generation, part, offset, limit, wanted)


def every_member(scope: Scope, as_of: date, generation: str, part: Part, wanted: Wanted = EVERYBODY) -> pd.DataFrame:
    """The list as far as one file takes it; kept nowhere."""
    most = MOST_MOVED if part.move else MOST_MEMBERS
    return _members(scope, as_of, generation, part, 0, most, wanted)


def _members(
    scope: Scope, as_of: date, generation: str, part: Part, offset: int, limit: int, wanted: Wanted
) -> pd.DataFrame:
    report, snapshot = segments(scope, as_of, generation, part.rule), _at(generation)
    if part.move is None:
        return members_of_report(snapshot, scope, report, part.choice, offset, limit, wanted=wanted)
    numbers = _moved(scope, as_of, generation, part.move, wanted)[offset : offset + limit].tolist()
    return members_of_report(snapshot, scope, report, limit=limit, only=numbers)


def _moved(scope: Scope, as_of: date, generation: str, move: Move, wanted: Wanted) -> NDArray[np.int64]:
    report = movement(scope, as_of, generation, move.scheme, move.months)
    return moved(_at(generation), scope, report, move.earlier, move.later, wanted)


@st.cache_data(ttl=_KEEP, max_entries=256, show_spinner=False)
def member_count(scope: Scope, as_of: date, generation: str, part: Part, wanted: Wanted = EVERYBODY) -> int:
    """How many customers a part has."""
    if part.move is not None:
        return len(_moved(scope, as_of, generation, part.move, wanted))
    return count_of_part(
        _at(generation), scope, segments(scope, as_of, generation, part.rule), part.choice, wanted, part.customers
    )


@st.cache_data(ttl=_KEEP, max_entries=12, show_spinner=False)
def movement(scope: Scope, as_of: date, generation: str, scheme: str, months: int) -> MovementReport:
    return movement_report(_at(generation), scope, as_of, scheme, months)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def flows(scope: Scope, as_of: date, generation: str, scheme: str) -> FlowsReport:
    return flows_report(_at(generation), scope, as_of, scheme)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def crossing(scope: Scope, as_of: date, generation: str, rows: str, columns: str) -> CrossingReport:
    return crossing_report(_at(generation), scope, as_of, rows, columns)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def preferences(scope: Scope, as_of: date, generation: str, by: str, thing: Thing) -> PreferencesReport:
    return preferences_report(_at(generation), scope, as_of, by, thing)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def treatments(scope: Scope, as_of: date, generation: str) -> TreatmentsReport:
    return treatments_report(_at(generation), scope, as_of)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def retention(scope: Scope, as_of: date, generation: str, months: int | None = 24) -> RetentionReport:
    return retention_report(_at(generation), scope, as_of, months)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def cohort_members(
    scope: Scope, as_of: date, generation: str, cell: CohortCell, offset: int, limit: int, wanted: Wanted
) -> pd.DataFrame:
    """A page of the customers of a cell of the cohorts."""
    return cohort_members_of(_at(generation), scope, as_of, cell, offset, limit, wanted)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def cohort_count(scope: Scope, as_of: date, generation: str, cell: CohortCell, wanted: Wanted) -> int:
    """How many customers ``cohort_members`` lists."""
    return count_of_cohort(_at(generation), scope, as_of, cell, wanted)


def every_cohort_member(
    scope: Scope, as_of: date, generation: str, cell: CohortCell, wanted: Wanted = EVERYBODY
) -> pd.DataFrame:
    """The list as far as one file takes it; kept nowhere."""
    return cohort_members_of(_at(generation), scope, as_of, cell, 0, MOST_RETENTION_MEMBERS, wanted)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def without_order(scope: Scope, as_of: date, generation: str, offset: int, limit: int, wanted: Wanted) -> pd.DataFrame:
    """A page of those who registered and never bought."""
    return without_order_of(_at(generation), scope, as_of, None, offset, limit, wanted)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def without_order_count(scope: Scope, as_of: date, generation: str, wanted: Wanted) -> int:
    """How many customers ``without_order`` lists."""
    return count_without_order(_at(generation), scope, as_of, wanted)


def every_without_order(scope: Scope, as_of: date, generation: str, wanted: Wanted = EVERYBODY) -> pd.DataFrame:
    """The list as far as one file takes it; kept nowhere."""
    return without_order_of(_at(generation), scope, as_of, None, 0, MOST_RETENTION_MEMBERS, wanted)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def reach(scope: Scope, customer_keys: tuple[str, ...], generation: str) -> pd.DataFrame:
    """On which channels these customers may be reached. Columns: customer_key, channel, purpose."""
    keys = {number: key for key in customer_keys if (number := number_of(key)) is not None}
    found = reach_queries.channels(scope, _at(generation).engine, keys)
    return found.assign(customer_key=found["customer_no"].map(keys))[["customer_key", "channel", "purpose"]]


@st.cache_data(ttl=_KEEP, max_entries=24, show_spinner=False)
def run_out(
    scope: Scope, as_of: date, ahead_days: int, category: str | None, segment: str | None, generation: str
) -> RunOutReport:
    """Without the list."""
    return run_out_report(_at(generation), scope, as_of, ahead_days, category, segment, members=0)


@st.cache_data(ttl=_KEEP, max_entries=4, show_spinner=False)
def _run_out_outlook(scope: Scope, as_of: date, ahead_days: int, generation: str) -> Outlook:
    return run_out_outlook(_at(generation), scope, as_of, ahead_days)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def run_out_members(
    scope: Scope, as_of: date, asked: RunOutAsked, offset: int, limit: int, generation: str
) -> pd.DataFrame:
    """A page of the list of ``run_out``."""
    known = _run_out_outlook(scope, as_of, asked.ahead_days, generation)
    return run_out_members_of(_at(generation), scope, as_of, asked, offset, limit, known)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def run_out_count(scope: Scope, as_of: date, asked: RunOutAsked, generation: str) -> int:
    """How many rows ``run_out_members`` lists."""
    return count_of_run_out(
        _at(generation), scope, as_of, asked, _run_out_outlook(scope, as_of, asked.ahead_days, generation)
    )


def every_run_out(scope: Scope, as_of: date, asked: RunOutAsked, generation: str) -> pd.DataFrame:
    """The list as far as one file takes it; kept nowhere."""
    return run_out_members_of(_at(generation), scope, as_of, asked, 0, MOST_RUN_OUTS)


@st.cache_data(ttl=_KEEP, max_entries=16, show_spinner=False)
def lapse(scope: Scope, as_of: date, generation: str) -> LapseReport:
    return lapse_report(_at(generation), scope, as_of, MOST_LAPSE_MEMBERS)


@st.cache_data(ttl=_KEEP, max_entries=16, show_spinner=False)
def reasons(scope: Scope, as_of: date, generation: str) -> ReasonsReport:
    return reasons_report(_at(generation), scope, as_of, MOST_REASONS_MEMBERS)


@st.cache_data(ttl=_KEEP, max_entries=16, show_spinner=False)
def spending(scope: Scope, as_of: date, segment: str | None, generation: str) -> SpendingReport:
    return spending_report(_at(generation), scope, as_of, MOST_SPENDING_MEMBERS, segment)


@st.cache_data(ttl=_KEEP, max_entries=12, show_spinner=False)
def value(scope: Scope, as_of: date, generation: str) -> ValueReport:
    """The value of the customers without their list."""
    return value_report(_at(generation), scope, as_of, members=0)


@st.cache_data(ttl=_KEEP, max_entries=12, show_spinner=False)
def value_check(scope: Scope, as_of: date, generation: str) -> Check | None:
    """What was known some months before ``as_of`` against what came since; None with too short a past."""
    return check_of_value(_at(generation), scope, as_of)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def value_members(
    scope: Scope, as_of: date, generation: str, cell: Cell | None, offset: int, limit: int, wanted: Wanted = EVERYBODY
) -> pd.DataFrame:
    """A page of the list of customers behind ``value``."""
    return members_of_value(_at(generation), scope, value(scope, as_of, generation), cell, offset, limit, wanted)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def value_count(scope: Scope, as_of: date, generation: str, cell: Cell | None, wanted: Wanted) -> int:
    """How many customers ``value_members`` lists."""
    return count_of_value(_at(generation), scope, value(scope, as_of, generation), cell, wanted)


def every_value_member(
    scope: Scope, report: ValueReport, generation: str, cell: Cell | None, wanted: Wanted = EVERYBODY
) -> pd.DataFrame:
    """The list as far as one file takes it; kept nowhere."""
    return members_of_value(_at(generation), scope, report, cell, 0, MOST_VALUE_MEMBERS, wanted)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def came_of(scope: Scope, generation: str, done: tuple[Action, ...], days: int) -> pd.DataFrame:
    """What came of rows that were done, one row per list."""
    return came_of_actions(_at(generation), scope, done, days)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def store(scope: Scope, period: Period, store_id: str, generation: str) -> StoreReport:
    return store_report(_at(generation), scope, period, store_id)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def stores(scope: Scope, period: Period, own: tuple[Target, ...], generation: str) -> StoresReport:
    return stores_report(_at(generation), scope, period, own)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def store_peers(scope: Scope, store_id: str, generation: str) -> pd.DataFrame:
    """The peers of a store that the reader may know by name."""
    return peers_of(_at(generation), scope, store_id)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def alerts(scope: Scope, generation: str, alert: str = "") -> AlertsReport:
    return alerts_report(_at(generation), scope, alert)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def why(scope: Scope, period: Period, against: Against, category: str | None, generation: str) -> WhyReport:
    return why_report(_at(generation), scope, period, against, category)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def why_mix(scope: Scope, period: Period, against: Against, ratio: Ratio, by: By, generation: str) -> WhyMixReport:
    return why_mix_report(_at(generation), scope, period, against, ratio, by)


@st.cache_data(ttl=_KEEP, max_entries=256, show_spinner=False)
def works_in(scope: Scope, staff_id: str, generation: str) -> str | None:
    """The store of the scope in which somebody of the staff works now."""
    return staff_queries.works_in(scope, _at(generation).engine, staff_id)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def staff(scope: Scope, period: Period, generation: str) -> StaffReport:
    return staff_report(_at(generation), scope, period)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def staff_member(scope: Scope, period: Period, staff_id: str, generation: str) -> StaffMemberReport | None:
    """The coaching card of one person; None when nobody of that id worked in the stores in scope."""
    try:
        team = partial(staff, scope, period, generation)
        return staff_member_report(_at(generation), scope, period, staff_id, team)
    except Problem:
        return None


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def own(scope: Scope, period: Period, staff_id: str, generation: str) -> OwnReport | None:
    """One's own figures; None for whoever did not work in the stores in scope."""
    try:
        return own_report(_at(generation), scope, period, staff_id)
    except Problem:
        return None


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def staff_goals(scope: Scope, as_of: date, generation: str) -> StaffGoalsReport:
    return staff_goals_report(_at(generation), scope, as_of)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def targets(scope: Scope, as_of: date, own: tuple[Target, ...], generation: str) -> TargetsReport:
    """The targets, with those that were set here."""
    return targets_report(_at(generation), scope, as_of, own)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def scorecard(scope: Scope, as_of: date, costs: tuple[Cost, ...], generation: str) -> ScorecardReport:
    """The scorecard, with the costs that were entered."""
    return scorecard_report(_at(generation), scope, as_of, costs)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def readiness(scope: Scope, generation: str) -> ReadinessReport:
    return readiness_report(_at(generation), scope)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def training(scope: Scope, as_of: date, generation: str) -> TrainingReport:
    return training_report(_at(generation), scope, as_of)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def category(scope: Scope, period: Period, category_: str, generation: str) -> CategoryReport:
    return category_report(_at(generation), scope, period, category_)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def product(scope: Scope, period: Period, product_id: str, generation: str) -> ProductReport:
    return product_report(_at(generation), scope, period, product_id)


@st.cache_data(ttl=_KEEP, max_entries=16, show_spinner=False)
def lot(scope: Scope, product_id: str, lot_id: str | None, generation: str) -> LotReport:
    return lot_report(_at(generation), scope, product_id, lot_id)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def order(scope: Scope, order_id: str, generation: str) -> OrderReport:
    return order_report(_at(generation), scope, order_id)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def customer(scope: Scope, customer_key: str, generation: str) -> CustomerReport:
    last = _at(generation).info.last_day
    known = () if last is None else (value(scope, last, generation), rhythms(scope, last, generation))
    return customer_report(_at(generation), scope, customer_key, *known)


@st.cache_data(ttl=_KEEP, max_entries=16, show_spinner=False)
def rhythms(scope: Scope, as_of: date, generation: str) -> Learnt | None:
    """What is usual among the customers of a scope, for when they run out."""
    return learn_rhythms(_at(generation), scope, as_of)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def campaigns(scope: Scope, generation: str, segment: str | None = None) -> CampaignsReport:
    return campaigns_report(_at(generation), scope, segment)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def campaign(scope: Scope, campaign_id: str, generation: str) -> CampaignReport:
    return campaign_report(_at(generation), scope, campaign_id)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def campaign_stock(scope: Scope, campaign_id: str, generation: str) -> CampaignStockReport:
    return campaign_stock_report(_at(generation), scope, campaign_id)


def festivals(scope: Scope, generation: str) -> FestivalsReport:
    return _festivals(scope, generation, event_changes.in_force(opened()))


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def _festivals(scope: Scope, generation: str, changes: tuple[Change, ...]) -> FestivalsReport:
    return festivals_report(_at(generation), scope, changes)


def demand(scope: Scope, category: str | None, generation: str) -> DemandReport:
    return _demand(scope, category, generation, tuple(year.shifts().items()))


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def _demand(
    scope: Scope,
    category: str | None,
    generation: str,
    shifts: tuple[tuple[tuple[str, int], timedelta | None], ...],
) -> DemandReport:
    return demand_report(_at(generation), scope, category, dict(shifts))


def product_demand(scope: Scope, product_id: str, generation: str) -> ProductDemandReport:
    return _product_demand(scope, product_id, generation, tuple(year.shifts().items()))


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def _product_demand(
    scope: Scope,
    product_id: str,
    generation: str,
    shifts: tuple[tuple[tuple[str, int], timedelta | None], ...],
) -> ProductDemandReport:
    return product_demand_report(_at(generation), scope, product_id, dict(shifts))


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def funnel(scope: Scope, campaign_id: str, generation: str) -> FunnelReport:
    return funnel_report(_at(generation), scope, campaign_id)


@st.cache_data(ttl=_KEEP, max_entries=64, show_spinner=False)
def coupons(scope: Scope, campaign_id: str, generation: str) -> CouponsReport:
    return coupons_report(_at(generation), scope, campaign_id)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def funnels(scope: Scope, generation: str) -> FunnelsReport:
    return funnels_report(_at(generation), scope)


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def campaign_names(scope: Scope, generation: str) -> pd.DataFrame:
    """campaign_id and name of every campaign, the latest that has begun first."""
    return funnel_choices(_at(generation), scope)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def funnel_detail(
    scope: Scope, campaign_id: str, by: Grouping, counted: str, days: int | None, arm: str | None, generation: str
) -> FunnelDetailReport | None:
    """The funnel of one campaign without its list; None when the scope holds no such campaign or arm."""
    try:
        return funnel_detail_report(_at(generation), scope, campaign_id, by, counted, days, arm)
    except Problem:
        return None


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def stopped(scope: Scope, walk: Walk, step: str, generation: str) -> pd.DataFrame:
    """Who took a step of a campaign and none after it, as far as one list goes."""
    return stopped_at(_at(generation), scope, walk, step)


# How many customers to fix one file takes.
MOST_TO_FIX = 20_000


@st.cache_data(ttl=_KEEP, max_entries=32, show_spinner=False)
def profile_quality(scope: Scope, as_of: date, generation: str) -> ProfileQualityReport:
    return profile_quality_report(_at(generation), scope, as_of)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def to_fix_count(scope: Scope, as_of: date, generation: str, problem: str, wanted: Wanted) -> int:
    """How many customers have one problem."""
    return profiles.to_fix_count(_at(generation), scope, profiles.question_of(as_of), problem, wanted)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def to_fix(
    scope: Scope, as_of: date, generation: str, problem: str, wanted: Wanted, offset: int, limit: int
) -> pd.DataFrame:
    """A page of the customers with one problem."""
    return profiles.to_fix(_at(generation), scope, profiles.question_of(as_of), problem, wanted, offset, limit)


def every_to_fix(scope: Scope, as_of: date, generation: str, problem: str) -> pd.DataFrame:
    """The list as far as one file takes it; kept nowhere."""
    question = profiles.question_of(as_of)
    return profiles.to_fix(_at(generation), scope, question, problem, offset=0, limit=MOST_TO_FIX)


@st.cache_data(ttl=_KEEP, max_entries=128, show_spinner=False)
def provenance(scope: Scope, period: Period, generation: str) -> ProvenanceReport:
    return provenance_report(_at(generation), scope, period)


@st.cache_data(ttl=_KEEP, max_entries=8, show_spinner=False)
def health(scope: Scope, generation: str) -> HealthReport:
    return health_report(_at(generation), scope)


@st.cache_data(ttl=_KEEP, max_entries=8, show_spinner=False)
def privacy(scope: Scope, generation: str, customer_months: int, consent_months: int) -> PrivacyReport:
    """As the page shows it, with small numbers by store hidden."""
    return small_hidden(privacy_report(_at(generation), scope, customer_months, consent_months))


def quarantined_rows(scope: Scope, generation: str) -> pd.DataFrame:
    """Every refused row, for a file; not kept, because there may be many and few ask."""
    return quarantined_rows_of(_at(generation), scope)


@st.cache_data(ttl=_KEEP, max_entries=12, show_spinner=False)
def stock(scope: Scope, category: str | None, generation: str) -> StockReport:
    """With the first rows of each list of shelves; with all of them where there are no results to read them from."""
    snapshot = _at(generation)
    return stock_report(snapshot, scope, category=category, rows=STOCK_ROWS if kept_shelves(snapshot, scope) else None)


@st.cache_data(ttl=_KEEP, max_entries=16, show_spinner=False)
def stock_list(scope: Scope, name: str, category: str | None, generation: str) -> pd.DataFrame:
    """All rows of a list that ``stock`` has the first of."""
    return whole_stock_list(_at(generation), scope, name, category)


@st.cache_data(ttl=_KEEP, max_entries=24, show_spinner=False)
def shelf(scope: Scope, product_id: str, generation: str) -> pd.DataFrame:
    return stock_shelf(_at(generation), scope, product_id)


@st.cache_data(ttl=_KEEP, max_entries=24, show_spinner=False)
def suppliers(scope: Scope, generation: str) -> SuppliersReport:
    return suppliers_report(_at(generation), scope)
