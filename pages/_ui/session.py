"""Who looks at this page and what they may see. Read from the app's own store on every run, by the token in the cookie;
session state, widgets and the URL never carry identity or scope."""

import streamlit as st

from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.state import audit
from data_access.state.accounts import Account
from data_access.state.store import opened, writing
from pages._gate import identity as gate_identity
from pages._gate.identity import Person
from pages._ui import access, load
from pages._ui import format as fmt
from pages._ui.i18n import localized_text, t, tn

_NAMED = 2  # homes that are named one by one


def identity() -> Person | None:
    """The person whose session came with this connection; None when there is none or it has ended."""
    session = gate_identity.look(gate_identity.token(st.context.cookies))
    return None if session is None or session.todo else gate_identity.person_of(session)


def look_again() -> None:
    """At the start of a run: rights are read at this moment, not as they were a moment ago."""
    gate_identity.forget(gate_identity.token(st.context.cookies))


def current_person() -> Person:
    """The signed-in person. Without one the run ends here with a way back to the sign-in page."""
    person = identity()
    if person is None:
        st.warning(t("session.expired"), icon=":material/lock_clock:")
        st.link_button(t("session.sign_in"), "/sign-in", type="primary")
        st.stop()
    return person


def current_scope() -> Scope:
    """The rows the signed-in person may see at this moment: their stores, the stores of their regions, or the chain."""
    return scope_of(current_person())


def scope_of(person: Person) -> Scope:
    """The scope of ``person`` under the snapshot that is current now.

    A store or region that no longer exists gives no rows. An administrator keeps the system and sees no trade:
    no rows either; the pages of the system ask ``system_scope``. Store staff have the page about themselves alone.
    """
    match person.role:
        case "manager":
            return Scope("stores", person.homes)
        case "regional":
            generation = load.generation()
            return Scope("stores", tuple(s for home in person.homes for s in load.region_stores(home, generation)))
        case "marketing":
            return Scope("chain")
        case "administrator":
            return Scope("stores", ())
        case "staff":
            # No rows of a store are theirs; ``own_scope`` is for the one page about themselves.
            return Scope("stores", ())


def own_scope() -> tuple[Scope, str]:
    """For the page about oneself: the store in which the signed-in person works, and their id in the CRM. Reports that
    take both tell nothing of anybody else. No rows for whoever is nobody of the staff, or has left."""
    person = current_person()
    staff_id = person.homes[0] if person.role == "staff" else ""
    store_id = load.works_in(Scope("chain"), staff_id, load.generation()) if staff_id else None
    return Scope("stores", () if store_id is None else (store_id,)), staff_id


def system_scope() -> Scope:
    """The scope for the state of the data as a whole (no customer rows): the chain for an administrator, too."""
    return reach(current_person())


def reach(person: Person) -> Scope:
    """The widest scope that any page has for ``person``."""
    return Scope("chain") if person.role == "administrator" else scope_of(person)


def account_actor() -> str | None:
    """The account_id of an administrator who may change accounts; None for one-click entry to the demo chain, which
    has no password and must leave no accounts behind."""
    person = current_person()
    return person.actor if person.role == "administrator" and person.name else None


def person(known: Account) -> Person:
    """Somebody else's account as the person who signs in with it."""
    return Person(known.role, known.homes, known.account_id, known.display_name)


def detail(page: str) -> access.Detail:
    """How much of ``page`` the signed-in person sees; the run ends here when it is nothing."""
    person = current_person()
    granted = access.detail(person.role, page)
    if granted is None:
        with writing(opened()) as connection:
            audit.append(connection, person.actor, "denied", page, at=utc_now())
        st.error(t("session.not_yours"), icon=":material/block:")
        st.stop()
    return granted


def may_open(page: str) -> bool:
    """Whether the signed-in person may open ``page``; for links that lead there."""
    return access.may_open(current_person().role, page)


def in_words(person: Person) -> str:
    """The homes of a person in words: their stores or regions by name, how many where they are many, the id of
    somebody of the staff, or the chain."""
    if person.role == "staff":
        return person.homes[0]
    if person.role not in ("manager", "regional"):
        return t("scope.chain")
    kind = "store" if person.role == "manager" else "region"
    if len(person.homes) > _NAMED:
        return tn(f"session.{kind}s", len(person.homes))
    stores = load.places(load.generation())
    names = dict(zip(stores[f"{kind}_id"], stores[kind], strict=True))
    return fmt.together(localized_text(f"{kind}.name", names.get(home, home)) for home in person.homes)
