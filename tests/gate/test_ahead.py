"""What strangers may load ahead: Streamlit's files by their exact names, and a frame with nothing of the chain."""

import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages._gate import ahead, index
from tests.gate.kit import BEHIND, HTML, ORIGIN, visitor
from tests.visitor import Visitor

FRONT_END = Path(st.__file__).parent / "static" / "static"
ONE = f"/static/js/{index.first_chunks()[0]}"


def test_the_open_files_are_the_front_end_and_nothing_else() -> None:
    scripts = {f"/static/js/{path.name}" for path in (FRONT_END / "js").iterdir()}
    assert {path for path in ahead.files() if path.startswith("/static/js/")} == scripts
    assert {path.split("/")[2] for path in ahead.files()} == {"js", "css", "media"}
    assert all(re.search(r"\.[\w-]{8}\.(js|css|woff2)$", path) for path in ahead.files())


@pytest.mark.parametrize("path", sorted(ahead.files())[::40])
def test_a_stranger_may_load_them(home: Path, path: str) -> None:
    assert visitor().get(path).text == BEHIND


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/js/",
        "/static/js/index.js",
        "/static/js/Plotly.AAAAAAAA.js",
        f"{ONE}/",
        f"{ONE}/../../../index.html",
        "/static/js/../../manifest.json",
        f"/x/..{ONE}",
        ONE.upper(),
        ONE.replace("js/", "js//"),
        f"/media{ONE}",
        f"{ONE}%00",
    ],
)
def test_no_other_name_opens_with_them(home: Path, path: str) -> None:
    answer = visitor().get(path)
    assert (answer.status, answer.text) == (401, "Sign in first.")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_they_are_only_read(home: Path, method: str) -> None:
    assert visitor().request(method, ONE, {"origin": ORIGIN}).status == 401


def test_under_another_name_of_the_host_they_are_refused(home: Path) -> None:
    assert visitor().get(ONE, host="evil.example").status == 421


def test_what_starts_the_front_end_is_the_same_for_everybody(signed_in: Visitor) -> None:
    for path in (ahead.SCRIPT, ahead.SAMPLE):
        assert visitor().get(path).body == signed_in.get(path).body


def test_it_asks_for_open_files_only(home: Path) -> None:
    script = visitor().get(ahead.SCRIPT).text
    asked = set(re.findall(r'"(/static/[^"]+)"', script))
    assert {index.entry("script"), index.entry("style"), ONE} <= asked <= ahead.files()
    assert f'"{ahead.SAMPLE}"' in script
    assert f'"{ahead.STAY}"' in script
    assert not re.search(r'"(MODULE|STYLES|SAMPLE|STAY|CHUNKS)"', script)


@pytest.mark.parametrize(("path", "opens"), [("/sign-in", True), ("/sign-out", False), ("/setup", False)])
def test_the_sign_in_page_opens_it(home: Path, path: str, opens: bool) -> None:
    assert (ahead.SCRIPT in visitor().get(path, **HTML).text) is opens


def frames(language: str) -> list[ForwardMsg]:
    """What the front end is given to draw; an empty message is where it does."""
    data, found = visitor().get(f"{ahead.SAMPLE}?lang={language}").body, []
    while data:
        size = int.from_bytes(data[:4], "big")
        found.append(ForwardMsg.FromString(data[4 : 4 + size]))
        data = data[4 + size :]
    return found


def test_it_draws_a_page_and_empties_it_again(home: Path) -> None:
    kinds = [message.WhichOneof("type") for message in frames("en")]
    assert [kind for kind in kinds if kind != "delta"] == [
        "page_config_changed", "new_session", "script_finished", None,
        "new_session", "script_finished", "session_status_changed",
    ]  # fmt: skip
    assert "delta" not in kinds[kinds.index(None) :]


def test_it_draws_what_first_pages_consist_of(home: Path) -> None:
    drawn = {one.delta.new_element.WhichOneof("type") for one in frames("en") if one.WhichOneof("type") == "delta"}
    wanted = {"markdown", "metric", "plotly_chart", "dataframe", "selectbox", "multiselect", "button_group"}
    assert wanted <= drawn
    assert "exception" not in drawn


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"role": "manager", "home": "S2"}, 204),
        ({"role": "manager", "home": "S2", "next": "/segments"}, 303),
        ({"role": "manager", "home": "S9"}, 303),
    ],
    ids=["first page", "another page", "refused"],
)
def test_who_signs_in_to_the_first_page_may_stay(home: Path, form: dict[str, str], status: int) -> None:
    guest = visitor()
    answer = guest.post("/sign-in", form, origin=ORIGIN, **{ahead.STAY: "1"})
    assert answer.status == status
    assert (guest.get("/_stcore/health").status == 200) is (form["home"] == "S2")
    assert ("location" in answer.headers) is (status == 303)
