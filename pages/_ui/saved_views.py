"""Saved views in the menu of every page: open, save, rename, share, delete. What a view shows is decided when it is
opened, by the rights and the rows of whoever opens it."""

from collections.abc import Callable

import streamlit as st

from data_access.freshness import utc_now
from data_access.state import views
from data_access.state.store import opened
from data_access.state.views import LONGEST_NAME, View
from pages._gate.identity import Person
from pages._ui import access, drill, params, session
from pages._ui.attempt import attempt
from pages._ui.i18n import t
from pages._ui.literal import literal

# Pages about one thing that somebody goes back to; the others about one thing are about people and their receipts.
_KEPT = ("campaign", "product")
# Of what a page is about, these are words of everybody.
_OPEN = ("list", "step", "by_type")
_SAID, _TURN = "views_said", "views_turn"


def menu(here: str) -> None:
    """The views of the reader and, on a page that can be saved, a way to save it; ``here`` is the page's key."""
    person = session.current_person()
    found = views.of(opened(), person.actor, person.role)
    said = st.session_state.pop(_SAID, None)
    if said:
        st.toast(said, icon=":material/check:")
    ready = [one for one in found if _may_be_saved(one.page) and access.may_open(person.role, one.page)]
    if ready:
        st.caption(t("views.title"))
    for view in ready:
        _link(view, person)
    own = [one for one in found if one.actor == person.actor]
    turn = st.session_state.get(_TURN, 0)  # another popover each time, so that it is closed when it has done its work
    if _may_be_saved(here):
        with st.popover(
            t("views.save_here"), icon=":material/bookmark_add:", key=f"views_save_ask_{turn}", width="stretch"
        ):
            _save(here, person)
    if own:
        with st.popover(t("views.manage"), icon=":material/edit:", key=f"views_manage_{turn}", width="stretch"):
            _manage(own, person)


def _may_be_saved(page: str) -> bool:
    entry = access.BY_KEY.get(page)
    return entry is not None and (entry.listed or page in _KEPT)


def _link(view: View, person: Person) -> None:
    """A view to open, and in a tooltip what it is."""
    said = {"page": t(f"page.{view.page}"), "role": t(f"role.{view.role}")}
    kind = "own" if not view.shared else "shared" if view.actor == person.actor else "others"
    if st.button(
        literal(view.name),
        icon=":material/group:" if view.shared else ":material/bookmark:",
        key=f"view_{view.view_id}",
        type="tertiary",
        help=t(f"views.help.{kind}", **said),
        on_click=_apply,
        args=(view,),
    ):
        rest = {name: value for name, value in view.query.items() if name not in params.SHARED}
        st.switch_page(f"{view.page}.py", query_params=rest)


def _apply(view: View) -> None:
    """Sets the filters that all pages share; those the view does not name go back to what is usual."""
    params.put(**{name: view.query.get(name, "") for name in params.SHARED if name != "lang"})


def _save(here: str, person: Person) -> None:
    with st.form("views_save", border=False, clear_on_submit=True):
        name = _name("views_name", t(f"page.{here}"))
        shared = _shared(person, here, "views_save_shared", on=False)
        st.caption(t("views.what"))
        if st.form_submit_button(t("views.save"), type="primary", width="stretch"):
            _do(
                lambda: views.save(
                    opened(), person.actor, person.role, name, here, _query(), utc_now(),
                    shared=shared, own=_own(person),
                ),
                t("views.saved"),
            )  # fmt: skip


def _manage(own: list[View], person: Person) -> None:
    """One of the reader's own views: another name, shared or not, or gone."""
    chosen = st.selectbox(t("views.which"), own, format_func=lambda one: one.name, key="views_which")
    with st.form(f"views_change_{chosen.view_id}", border=False):
        name = _name(f"views_name_{chosen.view_id}", value=chosen.name)
        shared = _shared(person, chosen.page, f"views_shared_{chosen.view_id}", on=chosen.shared)
        if st.form_submit_button(t("views.change"), type="primary", width="stretch"):
            _do(
                lambda: views.change(
                    opened(), person.actor, person.role, chosen.view_id, name, utc_now(),
                    shared=shared, own=_own(person),
                ),
                t("views.changed"),
            )  # fmt: skip
    if st.button(t("views.delete"), icon=":material/delete:", key=f"views_delete_{chosen.view_id}", width="stretch"):
        _do(lambda: views.remove(opened(), person.actor, chosen.view_id, utc_now()), t("views.deleted"))


def _name(key: str, placeholder: str = "", value: str = "") -> str:
    return st.text_input(
        t("views.name"), value, max_chars=LONGEST_NAME, key=key, placeholder=placeholder, autocomplete="off"
    )


def _shared(person: Person, page: str, key: str, *, on: bool) -> bool:
    """Whether everybody of the role is to have it; a page about one thing of some places is for oneself."""
    if _own(person) and not access.BY_KEY[page].listed:
        return False
    help_ = t("views.share_help_places" if _own(person) else "views.share_help")
    return st.checkbox(t("views.share", role=t(f"role.{person.role}")), on, key=key, help=help_)


def _own(person: Person) -> frozenset[str]:
    """The filters that a shared view leaves out: places and single things, where not everybody of the role has all."""
    if session.reach(person).kind == "chain":
        return frozenset()
    return frozenset({"region", "stores", *(name for names in drill.LEVELS.values() for name in names)} - set(_OPEN))


def _query() -> dict[str, str]:
    """What the address of this page says, but for the language, which is the reader's."""
    said = {**st.query_params.to_dict(), **params.carried()}
    return {name: value for name, value in said.items() if name != "lang"}


def _do(work: Callable[[], object], done: str) -> None:
    """Does it and draws the page again; a broken rule is said where the button is."""

    def again(_: object) -> None:
        st.session_state[_SAID] = done
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
        st.rerun()

    attempt(work, again)
