"""What strangers may load ahead: Streamlit's files by their exact names, and a frame with nothing of the chain."""

import re
from pathlib import Path

import pytest
import streamlit as st

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


def test_the_frame_is_the_same_for_everybody_and_fits_into_our_own_pages_only(signed_in: Visitor) -> None:
    answer = visitor().get(ahead.PAGE, **HTML)
    assert answer.text == signed_in.get(ahead.PAGE, **HTML).text
    assert f'src="{ahead.FRAME_SCRIPT}"' in answer.text
    assert index.START not in answer.text
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" not in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


def test_the_frame_asks_for_open_files_only(home: Path) -> None:
    page, script = (visitor().get(path).text for path in (ahead.PAGE, ahead.FRAME_SCRIPT))
    asked = re.findall(r'(?:src|href)="\.(/static/[^"]+)"', page) + re.findall(r'"(/static/[^"]+)"', script)
    assert len(asked) > 50
    assert set(asked) <= ahead.files()


@pytest.mark.parametrize(("path", "opens"), [("/sign-in", True), ("/sign-out", False), ("/setup", False)])
def test_the_sign_in_page_opens_it(home: Path, path: str, opens: bool) -> None:
    assert (ahead.SCRIPT in visitor().get(path, **HTML).text) is opens
