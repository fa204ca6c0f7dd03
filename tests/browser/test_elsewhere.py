"""The watch that every test of this folder stands under sees a request to another host, and what fails in a page."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Server, Watched

BEACON = "https://elsewhere.example/beacon"


@pytest.mark.parametrize("policy", [True, False], ids=["as it is", "without the content security policy"])
def test_a_picture_of_another_host_is_seen_and_the_policy_stops_it(
    policy: bool, browser: Browser, server: Server
) -> None:
    watch = Watched(urlsplit(server.url).netloc)
    context = browser.new_context(bypass_csp=not policy)
    page = context.new_page()
    page.route(BEACON, lambda route: route.abort())
    page.goto(f"{server.url}/sign-in")
    watch.watch(page)
    loaded = page.evaluate(
        """address => new Promise(done => {
            const stopped = event => done(event.violatedDirective);
            document.addEventListener("securitypolicyviolation", stopped);
            const picture = new Image();
            picture.onerror = () => setTimeout(() => done("asked"), 200);
            picture.src = address;
        })""",
        BEACON,
    )
    context.close()
    assert loaded == ("img-src" if policy else "asked")
    if not policy:
        assert watch.elsewhere == [BEACON]


def test_what_fails_in_a_page_is_seen(browser: Browser, server: Server) -> None:
    """That a refused answer is seen, too: ``test_gate.py``, ``test_an_unknown_page_is_ours``."""
    watch = Watched(urlsplit(server.url).netloc)
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/sign-in")
    watch.watch(page)
    with page.expect_event("pageerror"):
        page.evaluate(
            """() => {
                console.warn("a warning is no failure");
                console.error("said as an error");
                console.assert(false, "a claim that does not hold");
                setTimeout(() => { throw new Error("nobody catches it"); });
            }"""
        )
    context.close()
    said = {line.split(" (")[0] for line in watch.console}
    assert said >= {"said as an error", "a claim that does not hold", "nobody catches it"}
    assert not any("a warning" in line for line in said)
