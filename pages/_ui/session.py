"""Who looks at this page and what they may see. Read from the signed cookie on every run; session state, widgets and
the URL never carry identity or scope."""

import streamlit as st

from data_access.scope import Scope
from pages._gate.identity import COOKIE, Person, unseal
from pages._ui import access, load
from pages._ui.i18n import localized_text, t


def identity() -> Person | None:
    """The person whose cookie came with this connection; None when there is none or it has expired."""
    return unseal(st.context.cookies.get(COOKIE))


def current_person() -> Person:
    """The signed-in person. Without one the run ends here with a way back to the sign-in page."""
    person = identity()
    if person is None:
        st.warning(t("session.expired"), icon=":material/lock_clock:")
        st.link_button(t("session.sign_in"), "/sign-in", type="primary")
        st.stop()
    return person


def current_scope() -> Scope:
    """The rows the signed-in person may see at this moment: one store, the stores of a region, or the chain."""
    return scope_of(current_person())


def scope_of(person: Person) -> Scope:
    """The scope of ``person`` under the snapshot that is current now.

    A store or region that no longer exists gives no rows. An administrator keeps the system and sees no trade:
    no rows either; the pages of the system ask ``system_scope``.
    """
    match person.role:
        case "manager":
            return Scope("stores", (person.home,))
        case "regional":
            return Scope("stores", load.region_stores(person.home, load.generation()))
        case "marketing":
            return Scope("chain")
        case "administrator":
            return Scope("stores", ())


def system_scope() -> Scope:
    """The scope for the state of the data as a whole (no customer rows): the chain for an administrator, too."""
    person = current_person()
    return Scope("chain") if person.role == "administrator" else scope_of(person)


def detail(page: str) -> access.Detail:
    """How much of ``page`` the signed-in person sees; the run ends here when it is nothing."""
    granted = access.detail(current_person().role, page)
    if granted is None:
        st.error(t("session.not_yours"), icon=":material/block:")
        st.stop()
    return granted


def may_open(page: str) -> bool:
    """Whether the signed-in person may open ``page``; for links that lead there."""
    return access.may_open(current_person().role, page)


def in_words(person: Person) -> str:
    """The home of a person in words: the store's or region's name, or the whole chain."""
    stores = load.places(load.generation())
    match person.role:
        case "manager":
            names = stores.loc[stores["store_id"] == person.home, "store"]
            return localized_text("store.name", names.iloc[0]) if len(names) else person.home
        case "regional":
            names = stores.loc[stores["region_id"] == person.home, "region"]
            return localized_text("region.name", names.iloc[0]) if len(names) else person.home
        case "marketing" | "administrator":
            return t("scope.chain")
