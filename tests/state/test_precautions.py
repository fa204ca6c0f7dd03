"""What whoever keeps the accounts has not seen to yet."""

import pytest
from sqlalchemy import Engine, update

from data_access.settings import settings
from data_access.state import accounts, precautions
from data_access.state.schema import account
from tests.state.people import ADMINISTRATOR, NOW, person


def with_provider(monkeypatch: pytest.MonkeyPatch, second_factor: str = "") -> None:
    chosen = {"ISSUER": "https://id.example.com", "CLIENT_ID": "x", "SECOND_FACTOR": second_factor}
    for name, value in chosen.items():
        monkeypatch.setenv(f"MIRROR_OIDC_{name}", value)
    settings.cache_clear()


def test_where_nobody_has_an_account_nothing_is_missing(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with_provider(monkeypatch)
    assert precautions.missing(sqlite) == ()


def test_beside_a_provider_somebody_must_get_in_without_it(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    person(sqlite, "wang")
    chief = person(sqlite, "chief", ADMINISTRATOR)
    assert precautions.missing(sqlite) == ("second_factor",)
    with_provider(monkeypatch)
    assert precautions.missing(sqlite) == ("break_glass", "second_factor")
    accounts.set_break_glass(sqlite, "terminal:test", chief.account_id, NOW, on=True)
    assert precautions.missing(sqlite) == ("second_factor",)
    person(sqlite, "second", ADMINISTRATOR)
    accounts.disable(sqlite, "terminal:test", chief.account_id, NOW)
    assert precautions.missing(sqlite) == ("break_glass", "second_factor")


def test_one_administrator_with_a_second_factor_is_enough(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    person(sqlite, "other", ADMINISTRATOR)
    chief = person(sqlite, "chief", ADMINISTRATOR)
    with sqlite.begin() as connection:
        own = account.c.account_id == chief.account_id
        connection.execute(update(account).where(own).values(totp_key=b"sealed"))
    assert precautions.missing(sqlite) == ()
    accounts.disable(sqlite, "terminal:test", chief.account_id, NOW)
    assert precautions.missing(sqlite) == ("second_factor",)
    with_provider(monkeypatch, second_factor="mfa")  # the provider vouches for one
    assert precautions.missing(sqlite) == ("break_glass",)
