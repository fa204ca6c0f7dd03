"""A page of invented figures, as the messages from which a browser draws it: nobody's data, and nobody sees it.

The sign-in page lets the browser draw it unseen while a person types. A browser compiles JavaScript when it first runs
it, and faster code after it has run a while: whoever signs in then finds both done for cards, charts and lists.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunContext, add_script_run_ctx
from streamlit.runtime.state import SafeSessionState, SessionState

from pages._gate.look import icon
from pages._ui import charts
from pages._ui.i18n import speaking, t, text

_SCRIPT = Path(__file__)
_ROWS = 8  # bars of a chart, rows of a list
_LENGTH = 4  # bytes
_DAYS = 28
_CARDS = 6
_THEMES = ("", "light", "dark", "sidebar", "light.sidebar", "dark.sidebar")


@lru_cache(maxsize=2)
def frames(language: str) -> bytes:
    """The messages of one visit, each after its length in four bytes: the page; a length of 0, at which a browser
    draws what it has; the page emptied, and the beginning of another run, for which a browser that loses its connection
    asks anew as soon as it has one."""
    sent: list[ForwardMsg] = []
    # Streamlit knows by its thread for whom a page is drawn.
    with ThreadPoolExecutor(1, "sample") as thread:
        thread.submit(_draw, language, sent.append).result()
    drawn = [_named(language), _begun("drawn"), *sent, _finished("drawn")]
    emptied = [_begun("emptied"), _finished("emptied"), _runs()]
    return b"".join(map(_framed, drawn)) + bytes(_LENGTH) + b"".join(map(_framed, emptied))


def _framed(message: ForwardMsg) -> bytes:
    data = message.SerializeToString()
    return len(data).to_bytes(_LENGTH, "big") + data


def _draw(language: str, send: Callable[[ForwardMsg], None]) -> None:
    context = ScriptRunContext(
        session_id="sample",
        _enqueue=send,
        query_string="",
        session_state=SafeSessionState(SessionState(), lambda: None),
        uploaded_file_mgr=MemoryUploadedFileManager("/_stcore/upload_file"),
        main_script_path=str(_SCRIPT),
        user_info={},
        fragment_storage=MemoryFragmentStorage(),
        pages_manager=PagesManager(str(_SCRIPT)),
    )
    add_script_run_ctx(threading.current_thread(), context)
    context.reset()
    with speaking(language):
        page()


def page() -> None:
    """What the first pages consist of, with invented figures."""
    name = t("app.name")
    days = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=_DAYS), "now": range(_DAYS), "then": _DAYS})
    goods = pd.DataFrame({"id": range(_ROWS), "name": [f"{name} {row}" for row in range(_ROWS)], "sold": range(_ROWS)})
    with st.sidebar:
        st.markdown(f"**{name}**  \n{name}")
        st.caption(name)
        st.segmented_control(name, (name, "-"), default=name, label_visibility="collapsed", required=True)
        st.html(f"<form><button>{name}</button></form>")
        st.text_input(name, label_visibility="collapsed")
    st.title(name, anchor=False)
    st.caption(name)
    with st.container(horizontal=True):
        st.selectbox(name, (name, "-"), label_visibility="collapsed")
        st.multiselect(name, (name, "-"), label_visibility="collapsed")
    cards = st.grid(_CARDS, min_column_width=160, border=True, gap="small")
    for card in range(_CARDS):
        cards.metric(f"{name} {card}", "1", "+1 %", help=name)
        cards.caption(name)
    with st.expander(name):
        st.metric(name, "1")
    left, right = st.columns([3, 2])
    with left.container(border=True, height="stretch"):
        st.markdown(f"**{name}** :gray[:small[ {name}]]", help=name)
        lines = [go.Scatter(x=days["day"], y=days[line], name=name, mode="lines+markers") for line in ("now", "then")]
        _chart(lines, "days")
        st.popover(name, icon=":material/table_rows:", type="tertiary")
    with right.container(border=True, height="stretch"):
        bars = [
            go.Bar(y=goods["id"], x=goods["sold"], orientation="h", marker={"cornerradius": 3}, width=0.6),
            go.Scatter(y=goods["id"], x=goods["sold"], mode="text", text=goods["name"], cliponaxis=False),
        ]
        _chart(bars, "goods")
    st.dataframe(goods, hide_index=True, on_select="rerun", selection_mode="single-row", key="list", width="stretch")


def _chart(traces: list[go.Scatter | go.Bar], key: str) -> None:
    st.plotly_chart(_figure(traces), config=charts.CONFIG, key=key, on_select="rerun", selection_mode="points")


def _figure(traces: list[go.Scatter | go.Bar]) -> go.Figure:
    figure = go.Figure(traces, charts.layout(height=320))
    figure.update_yaxes(tickvals=[0, 4, 8], ticktext=["0", "4", "8"], automargin=True)
    return figure


def _named(language: str) -> ForwardMsg:
    """The name and mark that the sign-in page has already."""
    message = ForwardMsg()
    message.page_config_changed.title = text(language, "gate.title")
    message.page_config_changed.favicon = f"data:image/svg+xml,{icon()}"
    return message


def _begun(run: str) -> ForwardMsg:
    """That a run begins, as a session of Streamlit says it; without a page, so that the address decides of the next."""
    message = ForwardMsg()
    message.metadata.run.script_run_id = run
    session = message.new_session
    session.name, session.main_script_path, session.main_script_hash = "sample", "sample", "sample"
    session.initialize.session_id = "sample"
    session.initialize.session_status.script_is_running = True
    app_session._populate_user_info_msg(session.initialize.user_info)
    session.initialize.environment_info.streamlit_version = st.__version__
    app_session._populate_config_msg(session.config)
    for section in _THEMES:
        theme = session.custom_theme
        for part in filter(None, section.split(".")):
            theme = getattr(theme, part)
        app_session._populate_theme_msg(theme, f"theme.{section}" if section else "theme")
    return message


def _finished(run: str) -> ForwardMsg:
    message = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
    message.metadata.run.script_run_id = run
    return message


def _runs() -> ForwardMsg:
    """That a run is under way: whoever loses the connection then asks for it again when there is one."""
    message = ForwardMsg()
    message.session_status_changed.script_is_running = True
    return message
