"""The guided start: which way data come in, a file with the meaning and a preview of its rows, how far the work is."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from data_access import beginning, first_contact
from data_access.beginning import DRIVERS, SIZES
from data_access.contract import ContractReport
from data_access.errors import Problem
from data_access.first_contact import Found as Contact
from data_access.freshness import utc_now
from data_access.importer import Preview
from data_access.importing import draft
from data_access.importing.draft import FIELDS, NEEDED, Found
from data_access.importing.mapping import Mapping, load_mapping
from data_access.importing.report import Step
from data_access.settings import settings
from data_access.state import audit
from data_access.state.store import opened, writing
from pages._gate.state import serves_this_machine
from pages._ui import cards, head, load, session
from pages._ui import format as fmt
from pages._ui.i18n import exists, t
from pages._ui.literal import literal
from pages._ui.tables import Column, listing

_LARGEST = 200  # megabytes of one file; larger ones by the command line
_TYPES = ("csv", "txt", "tsv", "xlsx", "parquet", "toml")
_CURRENCIES = ("CNY", "HKD", "TWD", "SGD", "MYR", "USD", "EUR", "GBP", "JPY", "KRW", "THB", "VND")
_ZONES = ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo", "Europe/London", "Europe/Berlin", "UTC")
_PORTS = {"postgresql": 5432, "mariadb": 3306}
_EACH = 1.0  # seconds between two looks at the work
_FIRST_ROWS = (
    Column("order_id", "text"),
    Column("ordered_at", "instant"),
    Column("store_id", "text"),
    Column("customer_key", "text"),
    Column("product_id", "text"),
    Column("quantity", "count"),
    Column("net", "money"),
)

Way = Literal["files", "crm", "demo"]


def at_work() -> bool:
    """Whether data are being brought in."""
    now = beginning.progress(settings().home)
    return now is not None and now.at_work


@st.fragment(run_every=_EACH)
def waiting() -> None:
    """How far it is, looked at each second; the whole page again when it has ended."""
    now = beginning.progress(settings().home)
    if now is None or not now.at_work:
        st.rerun()
    seconds = round((utc_now() - now.started_at).total_seconds())
    with st.container(border=True):
        head.block(t("begin.waiting"), t("start.seconds", seconds=seconds))
        for number, step in enumerate(("write", "publish")):
            done, at = now.step == "publish" and number == 0, step == now.step
            icon = ":material/check_circle:" if done else ":material/hourglass_top:" if at else ":material/circle:"
            st.markdown(f"{icon} {t(f'begin.{step}.{now.what}')}")
        st.caption(t("begin.waiting_note"))


def outcome() -> None:
    """What came of the last order: what is there now and where to go on, or one sentence on what was wrong."""
    now = beginning.progress(settings().home)
    if now is None:
        return
    if now.problem:
        said = t("begin.died") if now.problem == "died" else _sentence(now.key, now.problem, now.named)
        st.error(said, icon=":material/error:")
    elif load.has_data():
        info = load.snapshot().info
        days = fmt.period(info.first_day, info.last_day) if info.first_day and info.last_day else fmt.MISSING
        st.success(t("start.done", days=days, left_out=fmt.count(now.left_out)), icon=":material/check_circle:")
        with st.container(horizontal=True):
            st.page_link("data_health.py", label=t("page.data_health"), icon=":material/health_and_safety:")
            st.page_link("accounts.py", label=t("page.accounts"), icon=":material/manage_accounts:")


def way() -> Way | None:
    """Which way data are to come in; only those that this installation allows."""
    own = settings().keeps_crm
    demo = load.has_data() and load.snapshot().info.is_demo
    offered: list[Way] = ["files"] if own and not demo else []
    if not settings().crm_url and not demo:
        offered.append("crm")
    if own and not load.has_data() and serves_this_machine():
        offered.append("demo")
    if not offered:
        st.info(t("start.demo_here" if demo else "start.by_environment"), icon=":material/info:")
        return None
    return st.segmented_control(
        t("start.way"),
        offered,
        default=offered[0],
        required=True,
        key="start_way",
        format_func=lambda one: t(f"start.way.{one}"),
        label_visibility="collapsed",
    )


def files() -> None:
    """Files: what they mean, what an import would make of them, and the button."""
    with st.container(border=True):
        head.block(t("start.files"), t("start.files_note"))
        with st.container(key="start_files"):
            _in_our_words()
            uploaded = st.file_uploader(
                t("start.files_label"),
                type=_TYPES,
                accept_multiple_files=True,
                max_upload_size=_LARGEST,
                key="start_upload",
                label_visibility="collapsed",
            )
    if not uploaded:
        return
    try:
        kept = _kept(uploaded)
        mapping, found = _meaning(kept)
        with st.spinner(t("start.previewing"), show_time=True):
            preview = load.import_preview(mapping.model_dump_json(by_alias=True), *found)
    except Problem as problem:
        st.error(_said(problem), icon=":material/error:")
        return
    _preview(preview)
    if not preview.loaded_rows or preview.difference:
        known = mapping.name != draft.NAME
        st.error(t("start.nothing_fits_known" if known else "start.nothing_fits"), icon=":material/error:")
    elif st.button(t("start.import"), type="primary", icon=":material/database_upload:", key="start_import"):
        beginning.take_mapping(settings().home, mapping)
        _begin("files", fmt.enumerated(path.name for path in found[0]))


def crm() -> None:
    """A database on a server: where it is, what it lacks, and the button."""
    with st.container(border=True), st.form("start_crm", border=False):
        head.block(t("start.crm"), t("start.crm_note"))
        kind = st.selectbox(t("start.crm.kind"), list(DRIVERS), format_func=lambda one: t(f"start.crm.{one}"))
        host = st.text_input(t("start.crm.host"), autocomplete="off").strip()
        port = st.number_input(t("start.crm.port"), 1, 65_535, value=None, placeholder=t("start.crm.port_usual"))
        database = st.text_input(t("start.crm.database"), autocomplete="off").strip()
        user = st.text_input(t("start.crm.user"), autocomplete="off").strip()
        password = st.text_input(t("start.crm.password"), type="password", autocomplete="off")
        asked = st.form_submit_button(t("start.crm.try"), icon=":material/cable:")
    if asked and not (host and database):
        st.error(t("start.crm.incomplete"), icon=":material/error:")
    elif asked:
        try:
            url = beginning.address(kind, host, int(port or _PORTS[kind]), database, user, password)
            with st.spinner(t("start.crm.trying")):
                found = first_contact.try_out(url)
        except Problem as problem:
            st.session_state.pop("start_url", None)
            st.error(_said(problem), icon=":material/error:")
            return
        _contract(found)
        st.session_state["start_url"] = url if _is_usable(found.report) else None
    if st.session_state.get("start_url") and st.button(
        t("start.crm.go"), type="primary", icon=":material/sync:", key="start_crm_go"
    ):
        beginning.connect(settings().home, st.session_state.pop("start_url"))
        _begin("crm", host)


def demo() -> None:
    """The demo chain, in a database that is empty."""
    with st.container(border=True):
        head.block(t("begin.demo"), t("begin.demo_note"))
        size = st.selectbox(
            t("begin.size"), SIZES[::-1], format_func=lambda one: t(f"begin.size.{one}"), key="start_size", width=320
        )
        st.caption(t("start.demo_local"))
        if st.button(t("begin.demo_go"), type="primary", key="start_demo"):
            _begin("demo", size, size)


def _begin(what: Way, subject: str, size: str = "demo") -> None:
    """Starts the work and draws the page again; the log says who did it."""
    actor = session.account_actor()
    if actor is None:  # one-click entry to the demo chain changes nothing
        st.error(t("accounts.look_only"), icon=":material/visibility:")
        return
    try:
        beginning.begin(settings().home, what, size)
    except Problem as problem:
        st.error(_said(problem), icon=":material/error:")
        return
    with writing(opened()) as connection:
        audit.append(connection, actor, "data_brought_in", what, at=utc_now(), detail={"subject": subject[:100]})
    st.rerun()


def _kept(uploaded: Sequence[Any]) -> list[Path]:
    """The uploaded files in the home, written when they are others than before."""
    stamp = [(one.file_id, one.name) for one in uploaded]
    if st.session_state.get("start_stamp") != stamp:
        kept = beginning.take_in(settings().home, {one.name: one.getvalue() for one in uploaded})
        st.session_state["start_stamp"] = stamp
        st.session_state["start_kept"] = [str(path) for path in kept]
    return [Path(path) for path in st.session_state["start_kept"]]


def _meaning(kept: Sequence[Path]) -> tuple[Mapping, tuple[tuple[Path, ...], str]]:
    """What the files mean: the mapping among them, a shipped one whose columns they have, or what the reader says.

    Gives with it the data files and their stamp.
    """
    stamp = str(st.session_state["start_stamp"])
    mappings = [path for path in kept if path.suffix == ".toml"]
    data = tuple(path for path in kept if path.suffix != ".toml")
    if mappings:
        return load_mapping(mappings[0]), (data, stamp)
    with st.spinner(t("start.reading"), show_time=True):
        founds = [load.uploaded_file(path, stamp) for path in data]
    name = draft.known(founds)
    if name is not None:
        st.info(t("start.known", name=t(f"start.mapping.{name}")), icon=":material/task_alt:")
        return load_mapping(name), (data, stamp)
    return _columns(founds[0]), (data, stamp)


def _columns(found: Found) -> Mapping:
    """Which column holds what, guessed from the headers and corrected by the reader."""
    draft.refuse_other_tables(found)
    guessed = draft.guess(found.headers)
    chosen: dict[str, str] = {}
    with st.container(border=True):
        head.block(t("start.columns"), t("start.columns_note"))
        grid = st.grid(4, min_column_width=220, gap="small")
        for field in FIELDS:
            with grid.cell():
                header = st.selectbox(
                    t(f"start.field.{field}") + (" *" if field in NEEDED else ""),
                    found.headers,
                    index=found.headers.index(guessed[field]) if field in guessed else None,
                    placeholder=t("start.no_column"),
                    key=f"start_field_{field}",
                )
            if header:
                chosen[field] = header
        with grid.cell():
            currency = st.selectbox(t("start.currency"), _CURRENCIES, key="start_currency")
        with grid.cell():
            zone = st.selectbox(t("start.zone"), _zones(), key="start_zone")
        by_unit = st.checkbox(t("start.by_unit"), key="start_by_unit")
    return draft.draft(chosen, found, currency=currency, time_zone=zone, by_unit=by_unit)


def _zones() -> list[str]:
    return [*_ZONES, *sorted(available_timezones() - set(_ZONES))]


def _preview(preview: Preview) -> None:
    """What would be read, loaded and left out, the first rows as they would stand, and why rows would not."""
    left_out = sum(step.rows or 0 for step in preview.quarantined)
    loaded = sum((step.amount for step in preview.loaded), start=0 * preview.difference)
    with st.container(border=True):
        head.block(t("start.preview"), t("start.preview_note"))
        cards.plain_row(
            [
                (t("start.rows_read"), fmt.count(preview.read.rows or 0), None),
                (t("start.rows_loaded"), fmt.count(preview.loaded_rows), None),
                (t("start.rows_left_out"), fmt.count(left_out), t("start.rows_left_out_help")),
                (t("start.amount"), fmt.money(float(loaded), preview.currency), t("start.amount_help")),
            ]
        )
        if len(preview.first_rows):
            shown = preview.first_rows.assign(
                quantity=preview.first_rows["quantity"].astype(float), net=preview.first_rows["net"].astype(float)
            )
            listing(shown, _FIRST_ROWS, currency=preview.currency, alt=t("start.preview"), key="start_rows")
        for step in preview.quarantined:
            st.markdown(f":orange[:material/warning:] {fmt.count(step.rows or 0)} × {_why_left_out(step)}")


def _why_left_out(step: Step) -> str:
    """The reason in the reader's language; that of a mapping of one's own as it stands there."""
    called = step.key or re.sub(r"[^a-z]+", "_", step.label)
    if not exists(f"start.left_out.{called}"):
        return literal(step.label)
    return t(f"start.left_out.{called}", **{name: literal(said) for name, said in step.named.items()})


def _contract(found: Contact) -> None:
    """How much of the canonical tables a database holds, what that leaves out, and whether the account may too much."""
    report = found.report
    if found.is_empty:
        st.error(t("start.crm.no_tables"), icon=":material/error:")
        return
    if found.may_write:
        st.warning(t("start.crm.may_write"), icon=":material/edit_off:")
    filled = sum(one.state == "ok" for one in report.tables)
    lost = sorted({page for one in report.tables for page in one.disables if "." not in page})
    st.markdown(t("start.crm.tables", filled=filled, tables=len(report.tables)))
    if not _is_usable(report):
        st.error(t("start.crm.no_sales"), icon=":material/error:")
    elif lost:
        st.warning(t("start.crm.lost", pages=fmt.together(t(f"page.{page}") for page in lost)))
    gaps = pd.DataFrame(
        [
            (one.table, t(f"start.state.{one.state}"), fmt.enumerated(one.missing))
            for one in report.tables
            if one.missing
        ],
        columns=["table_name", "state", "missing"],
    )
    if len(gaps):
        columns = (Column("table_name", "text"), Column("state", "text"), Column("missing", "text"))
        listing(gaps, columns, currency="", alt=t("start.crm"), key="start_gaps", rows=8)


def _is_usable(report: ContractReport) -> bool:
    """Whether there is enough for the first page."""
    return not any("overview" in one.disables for one in report.tables)


def _said(problem: Problem) -> str:
    return _sentence(problem.key, str(problem), problem.named)


def _sentence(key: str, sentence: str, named: dict[str, object]) -> str:
    """One sentence in the reader's language where there is one, else the program's own."""
    if not key or not exists(f"start.wrong.{key}"):
        return t("start.wrong", reason=literal(sentence))
    said = {name: literal(str(value)) for name, value in named.items()}
    if key == "columns_lacking":
        said["columns"] = fmt.together(t(f"start.field.{field}") for field in named["columns"])  # type: ignore[attr-defined]
    return t(f"start.wrong.{key}", **said)


def _in_our_words() -> None:
    """Covers the English words of Streamlit's own uploader."""
    st.html(
        "<style>.st-key-start_files [data-testid=stFileUploaderDropzoneInstructions]{display:none}"
        ".st-key-start_files [data-testid=stFileUploader] [data-testid=stBaseButton-secondary] p{display:none}"
        ".st-key-start_files [data-testid=stFileUploader] [data-testid=stBaseButton-secondary]::after"
        f'{{content:"{t("start.choose")}"}}'
        "</style>"
    )
