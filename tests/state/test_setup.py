"""The first administrator: made once, by whoever has the token, and never again."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select

from data_access.state import accounts, audit, setup
from data_access.state.rules import Rule
from data_access.state.schema import one_time_token
from tests.state.people import ADMINISTRATOR, MINUTE, NOW, PASSWORD, person

ADMIN = "terminal:root"


def finish(engine: Engine, token: str, name: str = "ada", password: str = PASSWORD) -> str:
    try:
        return setup.finish(engine, token, name, "Ada", password, NOW).role
    except Rule as refused:
        return refused.key


def test_the_token_makes_an_administrator_with_a_password_of_their_own(engine: Engine) -> None:
    token = setup.make_token(engine, ADMIN, NOW)
    assert setup.is_open(engine, NOW)
    assert setup.fits(engine, token, NOW)
    assert finish(engine, token) == "administrator"
    made = accounts.find_by_name(engine, "ada")
    assert made is not None
    assert (made.initial_until, made.needs_totp) == (None, True)
    log = [(entry.actor, entry.action) for entry in audit.search(engine, audit.Filter()).entries]
    assert log == [(made.account_id, "account_created"), (ADMIN, "setup_link")]


def test_afterwards_there_is_no_way_in(engine: Engine) -> None:
    token = setup.make_token(engine, ADMIN, NOW)
    finish(engine, token)
    assert not setup.is_open(engine, NOW)
    assert not setup.fits(engine, token, NOW)
    assert finish(engine, token, "eve") == "setup_link"
    with pytest.raises(Rule) as refused:
        setup.make_token(engine, ADMIN, NOW)
    assert refused.value.key == "setup_over"
    assert len(accounts.everyone(engine)) == 1


def test_an_administrator_made_in_another_way_closes_it_too(sqlite: Engine) -> None:
    token = setup.make_token(sqlite, ADMIN, NOW)
    person(sqlite, "ada", ADMINISTRATOR)
    assert not setup.is_open(sqlite, NOW)
    assert finish(sqlite, token, "eve") == "setup_link"


def test_other_accounts_do_not_close_it(sqlite: Engine) -> None:
    person(sqlite, "wang")
    assert finish(sqlite, setup.make_token(sqlite, ADMIN, NOW)) == "administrator"


def test_a_token_lives_15_minutes_and_until_the_next_one(engine: Engine) -> None:
    first = setup.make_token(engine, ADMIN, NOW - 14 * MINUTE)
    assert setup.fits(engine, first, NOW)
    assert not setup.fits(engine, first, NOW + MINUTE)
    assert not setup.is_open(engine, NOW + MINUTE)
    second = setup.make_token(engine, ADMIN, NOW)
    assert not setup.fits(engine, first, NOW)
    assert finish(engine, first) == "setup_link"
    assert finish(engine, second) == "administrator"


@pytest.mark.parametrize("token", ["", "wrong", "\0", "\ud800", "x" * 100_000])
def test_any_other_text_opens_nothing(engine: Engine, token: str) -> None:
    setup.make_token(engine, ADMIN, NOW)
    assert finish(engine, token) == "setup_link"
    assert not accounts.any_account(engine)


def test_a_name_or_password_that_will_not_do_leaves_the_token(sqlite: Engine) -> None:
    token = setup.make_token(sqlite, ADMIN, NOW)
    assert finish(sqlite, token, name="two words") == "sign_in_name"
    assert finish(sqlite, token, password="adaadaadaadaada") == "password_common"
    assert finish(sqlite, token) == "administrator"


def test_only_its_digest_is_kept_of_192_bits(sqlite: Engine) -> None:
    token = setup.make_token(sqlite, ADMIN, NOW)
    assert len(token) == 192 / 6
    with sqlite.connect() as connection:
        assert token not in str(connection.execute(select(one_time_token)).all())


def test_of_two_who_come_at_once_one_gets_in(engine: Engine) -> None:
    token = setup.make_token(engine, ADMIN, NOW)
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda name: finish(engine, token, name), ("ada", "eve")))
    assert sorted(said) == ["administrator", "setup_over"] or sorted(said) == ["administrator", "setup_link"]
    assert len(accounts.everyone(engine)) == 1
