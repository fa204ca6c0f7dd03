"""Downloads and uploads belong to the sign-in that was told their address."""

import pytest

from pages._gate import belongings
from pages._gate.belongings import Belongings
from tests.gate.kit import BEHIND, ORIGIN, STREAM, Demo, beside
from tests.visitor import Visitor

A, B = "/media/" + "a" * 32, "/media/" + "b" * 32
SLOT = "/_stcore/upload_file/11111111-2222-3333-4444-555555555555/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def test_whoever_was_told_an_address_may_use_it_and_nobody_else(signed_in: Visitor) -> None:
    other = beside(signed_in, Demo("manager", "S2"))
    signed_in.talk(STREAM, [f"\x0a{A}.csv2".encode() + SLOT.encode()], origin=ORIGIN)
    assert signed_in.get(f"{A}.csv").text == BEHIND
    assert signed_in.request("PUT", SLOT, {"origin": ORIGIN}).status == 404  # files are for administrators to bring
    assert other.get(f"{A}.csv").status == 404
    assert other.request("PUT", SLOT, {"origin": ORIGIN}).status == 404


def test_an_administrator_may_bring_files_to_the_own_address(signed_in: Visitor) -> None:
    chief, other = (beside(signed_in, Demo("administrator")) for _ in range(2))
    chief.talk(STREAM, [SLOT.encode()], origin=ORIGIN)
    assert chief.request("PUT", SLOT, {"origin": ORIGIN}).text == BEHIND
    assert other.request("PUT", SLOT, {"origin": ORIGIN}).status == 404


@pytest.mark.parametrize(
    "path",
    [
        B,
        f"{A}/x",
        f"{A}.csv/../{'b' * 32}",
        "/media/",
        "/media//" + "a" * 32,
        A.upper().replace("/MEDIA", "/media"),
        SLOT[:-1] + "f",
        SLOT + "/x",
        "/_stcore/upload_file/",
    ],
)
def test_only_the_very_address_is_let_through(path: str) -> None:
    known = Belongings()
    known.learn("me", (A + SLOT).encode())
    assert known.allow("me", A)
    assert not known.allow("me", path)


def test_everything_else_is_no_file_of_anybody() -> None:
    assert Belongings().allow("me", "/static/media/font.woff2")


def test_old_addresses_give_way_to_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(belongings, "_MOST_EACH", 2)
    monkeypatch.setattr(belongings, "_MOST_SIGN_INS", 2)
    known = Belongings()
    for address in (A, B, A, "/media/" + "c" * 32):  # told again, A is newer than B
        known.learn("me", address.encode())
    assert [known.allow("me", A), known.allow("me", B)] == [True, False]
    for sign_in in ("you", "they"):
        known.learn(sign_in, A.encode())
    assert not known.allow("me", A)
