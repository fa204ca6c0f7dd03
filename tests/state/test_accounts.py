"""Accounts: who may be what, what a change takes away, and that every change is in the log."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from data_access.state import accounts, audit, passwords, sessions
from data_access.state.accounts import Account, Rights
from data_access.state.rules import Rule
from tests.state.people import ADMINISTRATOR, ANOTHER, MANAGER, MARKETING, MINUTE, NOW, PASSWORD, REGIONAL, person

ADMIN = "terminal:admin"


def signed_in(engine: Engine, who: Account) -> str:
    return sessions.begin(engine, accounts.find(engine, who.account_id) or who, NOW)


def log(engine: Engine, who: Account) -> list[str]:
    return [entry.action for entry in audit.search(engine, audit.Filter(person=who.account_id)).entries][::-1]


def test_a_new_account_is_found_by_its_id_and_by_any_way_of_writing_its_name(engine: Engine) -> None:
    rights = Rights("manager", stores=("S2", "S1", "S2"), may_reveal=True)
    made = accounts.create(engine, ADMIN, "Li.Na", "李娜", rights, PASSWORD, NOW, initial=True)
    assert made.stores == ("S1", "S2")
    assert (made.display_name, made.role, made.may_reveal, made.may_export) == ("李娜", "manager", True, False)
    assert (made.disabled, made.has_totp, made.needs_totp) == (False, False, True)
    assert made.initial_until == NOW + timedelta(days=7)
    assert accounts.find(engine, made.account_id) == made
    for name in ("li.na", "LI.NA", " Li.Na ", "Ｌｉ．Ｎａ"):
        assert accounts.find_by_name(engine, name) == made
    assert accounts.find_by_name(engine, "li") is None
    assert log(engine, made) == ["account_created"]


def test_everyone_is_listed_by_name_each_with_their_own_places(engine: Engine) -> None:
    made = [
        person(engine, "wang", REGIONAL),
        person(engine, "Chen", Rights("manager", ("S1", "S2"))),
        person(engine, "li", MARKETING),
    ]
    assert accounts.everyone(engine) == (made[1], made[2], made[0])


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("role", {"role": "owner"}),
        ("needs_store", {"role": "manager"}),
        ("needs_region", {"role": "regional"}),
        ("no_places", {"role": "marketing", "stores": ("S1",)}),
        ("no_places", {"role": "administrator", "regions": ("R1",)}),
        ("no_places", {"role": "manager", "stores": ("S1",), "regions": ("R1",)}),
        ("no_places", {"role": "manager", "stores": ("S1", "")}),
        ("no_places", {"role": "manager", "stores": ("S1\0",)}),
        ("no_reveal", {"role": "marketing", "may_reveal": True}),
        ("no_reveal", {"role": "administrator", "may_reveal": True}),
        ("no_export", {"role": "administrator", "may_export": True}),
    ],
)
def test_role_places_and_permissions_go_together(key: str, values: dict[str, object]) -> None:
    with pytest.raises(Rule) as refused:
        Rights(**values)  # type: ignore[arg-type]
    assert refused.value.key == key


@pytest.mark.parametrize("name", ["", "a", "two words", "x" * 65, "a/b", "tab\tname", "<b>", "line\nbreak"])
def test_a_sign_in_name_is_one_word(engine: Engine, name: str) -> None:
    with pytest.raises(Rule) as refused:
        accounts.create(engine, ADMIN, name, "Somebody", MANAGER, PASSWORD, NOW, initial=False)
    assert refused.value.key == "sign_in_name"


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "bell\a", "over\u202eride"])
def test_a_display_name_can_be_printed(engine: Engine, name: str) -> None:
    with pytest.raises(Rule) as refused:
        accounts.create(engine, ADMIN, "somebody", name, MANAGER, PASSWORD, NOW, initial=False)
    assert refused.value.key == "display_name"


def test_no_two_have_the_same_name_however_it_is_written(engine: Engine) -> None:
    person(engine, "wang")
    other = person(engine, "li")
    with pytest.raises(Rule) as refused:
        accounts.create(engine, ADMIN, "WANG", "Wang", MANAGER, PASSWORD, NOW, initial=False)
    assert refused.value.key == "sign_in_name_taken"
    with pytest.raises(Rule) as refused:
        accounts.change(engine, ADMIN, other.account_id, NOW, sign_in_name="Wang")
    assert refused.value.key == "sign_in_name_taken"


def test_one_may_write_the_own_name_differently(engine: Engine) -> None:
    wang = person(engine, "wang")
    assert accounts.change(engine, ADMIN, wang.account_id, NOW, sign_in_name="Wang").sign_in_name == "Wang"


def test_a_password_must_hold_before_anything_is_written(engine: Engine) -> None:
    with pytest.raises(Rule) as refused:
        accounts.create(engine, ADMIN, "wang", "Wang", MANAGER, "fourteen chars", NOW, initial=False)
    assert refused.value.key == "password_short"
    assert accounts.everyone(engine) == ()


@pytest.mark.parametrize(
    ("before", "after", "goes_on"),
    [
        (MANAGER, Rights("manager", ("S1", "S2")), True),
        (Rights("manager", ("S1", "S2")), MANAGER, False),
        (MANAGER, Rights("manager", ("S2",)), False),
        (MANAGER, Rights("manager", ("S1",), may_export=True), True),
        (Rights("manager", ("S1",), may_reveal=True), MANAGER, False),
        (MANAGER, MARKETING, False),
        (REGIONAL, Rights("regional", regions=("R1", "R2")), True),
        (REGIONAL, Rights("regional", regions=("R2",)), False),
    ],
)
def test_sessions_end_where_a_right_is_taken_away_and_only_there(
    sqlite: Engine, before: Rights, after: Rights, goes_on: bool
) -> None:
    who = person(sqlite, "wang", before)
    token = signed_in(sqlite, who)
    changed = accounts.change(sqlite, ADMIN, who.account_id, NOW, rights=after)
    assert changed.rights == after
    assert changed.epoch == who.epoch + 1
    found = sessions.find(sqlite, token, NOW)
    assert (found is not None) == goes_on
    if found is not None:
        assert found.account == changed


def test_a_change_is_logged_with_what_was_before_and_nothing_is_no_change(sqlite: Engine) -> None:
    who = person(sqlite, "wang")
    accounts.change(sqlite, ADMIN, who.account_id, NOW, rights=Rights("manager", ("S1", "S3")))
    entry = audit.search(sqlite, audit.Filter(action="account_changed")).entries[0]
    assert (entry.actor, entry.subject) == (ADMIN, who.account_id)
    assert entry.detail == {"stores": [["S1"], ["S1", "S3"]]}
    same = accounts.change(sqlite, ADMIN, who.account_id, NOW, rights=Rights("manager", ("S3", "S1")))
    assert same.epoch == who.epoch + 1
    assert log(sqlite, who) == ["account_created", "account_changed"]


def test_disabling_ends_the_sessions_and_enabling_does_not_bring_them_back(engine: Engine) -> None:
    who = person(engine, "wang")
    token = signed_in(engine, who)
    assert accounts.disable(engine, ADMIN, who.account_id, NOW).disabled
    assert sessions.find(engine, token, NOW) is None
    assert not accounts.enable(engine, ADMIN, who.account_id, NOW).disabled
    assert sessions.find(engine, token, NOW) is None
    assert log(engine, who) == ["account_created", "account_disabled", "account_enabled"]


def test_a_new_password_ends_every_session_but_the_one_that_set_it(sqlite: Engine) -> None:
    who = person(sqlite, "wang", initial=True)
    mine, other = signed_in(sqlite, who), signed_in(sqlite, who)
    here = sessions.find(sqlite, mine, NOW)
    assert here is not None
    changed = accounts.set_password(
        sqlite, who.account_id, who.account_id, ANOTHER, NOW, initial=False, keep=here.session_id
    )
    assert changed.initial_until is None
    assert sessions.find(sqlite, mine, NOW) is not None
    assert sessions.find(sqlite, other, NOW) is None


def test_the_last_administrator_stays_one(engine: Engine) -> None:
    first = person(engine, "ada", ADMINISTRATOR)
    person(engine, "wang")
    for take in (
        lambda: accounts.disable(engine, ADMIN, first.account_id, NOW),
        lambda: accounts.change(engine, ADMIN, first.account_id, NOW, rights=MARKETING),
    ):
        with pytest.raises(Rule) as refused:
            take()
        assert refused.value.key == "last_administrator"
    second = person(engine, "bo", ADMINISTRATOR)
    assert accounts.disable(engine, ADMIN, first.account_id, NOW).disabled
    with pytest.raises(Rule):
        accounts.disable(engine, ADMIN, second.account_id, NOW)
    assert accounts.has_administrator(engine)


def test_nobody_is_nobody(sqlite: Engine) -> None:
    assert not accounts.any_account(sqlite)
    assert accounts.find(sqlite, "nobody") is None
    for act in (accounts.disable, accounts.enable, accounts.reset_totp):
        with pytest.raises(Rule) as refused:
            act(sqlite, ADMIN, "nobody", NOW)
        assert refused.value.key == "no_account"
    with pytest.raises(Rule):
        accounts.set_password(sqlite, ADMIN, "nobody", PASSWORD, NOW, initial=False)


def test_an_account_that_is_disabled_does_not_count(sqlite: Engine) -> None:
    who = person(sqlite, "wang")
    assert accounts.any_account(sqlite)
    assert not accounts.has_administrator(sqlite)
    accounts.disable(sqlite, ADMIN, who.account_id, NOW)
    assert not accounts.any_account(sqlite)


PLACES = st.frozensets(st.sampled_from(["S1", "S2", "S3"]), min_size=1).map(tuple)
RIGHTS = st.builds(
    lambda places, reveal, export: Rights("manager", places, (), reveal, export), PLACES, st.booleans(), st.booleans()
)


@given(before=RIGHTS, after=RIGHTS)
def test_rights_cover_others_exactly_when_every_single_one_is_there(before: Rights, after: Rights) -> None:
    def single(rights: Rights) -> set[str]:
        return {*rights.stores, *(["reveal"] if rights.may_reveal else []), *(["export"] if rights.may_export else [])}

    assert after.covers(before) == (single(before) <= single(after))


def test_names_that_no_database_can_hold_find_nobody(engine: Engine) -> None:
    person(engine, "wang")
    for name in ("wang\0", "\ud800", "x" * 100_000, "'; drop table account; --"):
        assert accounts.find_by_name(engine, name) is None


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_today(sqlite: Engine) -> None:
    who = accounts.create(sqlite, ADMIN, "wang", "Wang", MANAGER, PASSWORD, NOW + MINUTE, initial=True)
    with sqlite.connect() as connection:
        kept = connection.exec_driver_sql("SELECT password FROM account").scalar_one()
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.matches(kept, PASSWORD)
    assert who.initial_until == NOW + MINUTE + timedelta(days=7)
