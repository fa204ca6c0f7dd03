"""Floods and timing against the app in front of people: slow, because passwords are, and because they need a server of
their own. They say their figures: ``pytest -m slow --log-cli-level INFO tests/gate/test_floods.py``."""

import http.client
import itertools
import logging
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from data_access.settings import settings
from data_access.state import passwords
from data_access.state.schema import account
from data_access.state.store import opened, prepare, state_engine, writing
from tests.browser.conftest import Server, serve
from tests.gate.kit import use, visitor
from tests.small_chain import build
from tests.state.people import PASSWORD, person

PAIRS = 60
WRONG = 50
MIB = 1024  # KiB

pytestmark = pytest.mark.slow

_log = logging.getLogger("mirror.floods")


# ---- who has an account does not show in the time -------------------------------------------------------------------


@pytest.fixture
def many_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A real chain with as many accounts as are asked for."""
    build(tmp_path, demo=False)
    use(tmp_path, monkeypatch)
    for number in range(PAIRS):
        person(opened(), f"known{number}")
    yield
    opened().dispose()
    settings.cache_clear()


def cost_of(name: str) -> float:
    """Seconds of processor time a wrong password for ``name`` takes, the whole way through the gate."""
    guest = visitor()
    began = time.process_time()
    answer = guest.post("/sign-in", {"name": name, "password": "wrong-" + name}, origin="http://localhost")
    took = time.process_time() - began
    assert answer.status == 403
    return took


def told_apart(known: list[float], unknown: list[float]) -> float:
    """How often the dearer of a known and an unknown name is the known one: 0.5 says nothing, 1 says everything."""
    pairs = list(itertools.product(known, unknown))
    return sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs)


def measured() -> tuple[list[float], list[float]]:
    """What wrong passwords cost for names that exist and names that do not, one after the other in random order."""
    names = [f"{kind}{number}" for number in range(PAIRS) for kind in ("known", "nobody")]
    random.Random(7).shuffle(names)
    cost_of("warm-up")
    costs = {name: cost_of(name) for name in names}
    known, unknown = ([took for name, took in costs.items() if name.startswith(kind)] for kind in ("known", "nobody"))
    return known, unknown


def without_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """All attempts come from one address, which would have to wait after 60."""
    monkeypatch.setattr("data_access.state.limits.RESERVE", 10_000)


def test_the_time_of_a_refusal_does_not_tell_who_has_an_account(
    many_people: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pace(monkeypatch)
    known, unknown = measured()
    share = told_apart(known, unknown)
    _log.info(
        f"{PAIRS} pairs, processor time: known {1000 * statistics.median(known):.1f} ms, unknown "
        f"{1000 * statistics.median(unknown):.1f} ms, told apart {share:.3f} (0.5 is chance)"
    )
    # The standard error of this share for two groups of n is sqrt((2n + 1) / (12 n^2)): 0.053 for 60.
    error = ((2 * PAIRS + 1) / (12 * PAIRS**2)) ** 0.5
    assert abs(share - 0.5) < 4 * error


def test_without_the_decoy_the_time_would_tell(many_people: None, monkeypatch: pytest.MonkeyPatch) -> None:
    matches = passwords.matches
    monkeypatch.setattr(
        passwords, "matches", lambda kept, text, *, first=False: kept is not None and matches(kept, text, first=first)
    )
    without_pace(monkeypatch)
    assert told_apart(*measured()) > 0.99


# ---- floods, against a server process of its own ---------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """A running server and the port it answers on."""

    server: Server
    port: int
    pid: int

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, float]:
        """Status and seconds of one request."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"content-type": "application/x-www-form-urlencoded", **headers})
            status = connection.getresponse().status
        finally:
            connection.close()
        return status, time.monotonic() - began

    def sign_in(self, name: str, password: str) -> tuple[int, float]:
        form = urlencode({"name": name, "password": password})
        return self.ask("POST", "/sign-in", form, origin=f"http://127.0.0.1:{self.port}")

    def memory(self) -> float:
        """MiB the process has in memory now."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / MIB


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    build(tmp_path, demo=False)
    url = f"sqlite:///{tmp_path / 'state.sqlite'}"
    engine = state_engine(url)
    prepare(engine)
    for name in ("ann", "bo", "cai"):
        person(engine, name)
    with writing(engine) as connection:
        # Somebody who signed in from here before, and somebody who did not.
        seen = {"signed_in_from": "127.0.0.1"}
        connection.execute(account.update().where(account.c.sign_in_key == "bo").values(**seen))
    engine.dispose()
    monkeypatch.setenv("MIRROR_STATE_URL", url)
    for server in serve(tmp_path, tmp_path / "log.txt"):
        port = int(server.url.rpartition(":")[2])
        yield Target(server, port, process_at(port))


def process_at(port: int) -> int:
    """The process of this user that was started with ``--server.port PORT``."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--server.port" in line and str(port).encode() in line:
            return int(folder.name)
    raise LookupError(f"nobody was started for port {port}")


def test_fifty_wrong_sign_ins_leave_a_right_one_under_three_seconds(target: Target) -> None:
    target.sign_in("ann", PASSWORD)
    before = target.memory()
    peak, done = [before], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak.append(target.memory())

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.monotonic()
    with ThreadPoolExecutor(WRONG + 2) as threads:
        wrong = [threads.submit(target.sign_in, f"nobody{number}", "wrong") for number in range(WRONG)]
        time.sleep(0.3)  # in the middle of it
        right = {name: threads.submit(target.sign_in, name, PASSWORD) for name in ("cai", "bo")}
        statuses = sorted(one.result()[0] for one in wrong)
        came = {name: one.result() for name, one in right.items()}
    compared = (statuses.count(403) + len(right)) / (time.monotonic() - began)
    done.set()
    watching.join()
    more = max(peak) - before
    # Other work on the same machine slows everything down; how much, the comparisons per second say.
    slower = max(1.0, cores() / one_comparison() / compared)
    took = {name: seconds / slower for name, (_, seconds) in came.items()}
    _log.info(
        f"{WRONG} wrong sign-ins at once: {statuses.count(403)} refused, {statuses.count(503)} sent away; a right one "
        f"from a new place {came['cai'][1]:.2f} s, from a known one {came['bo'][1]:.2f} s, on a machine that was "
        f"{slower:.1f} times slower than idle: {took['cai']:.2f} and {took['bo']:.2f} s; memory +{more:.0f} MiB"
    )
    assert {status for status, _ in came.values()} == {303}
    assert max(took.values()) < 3.0
    assert more <= 200


def cores() -> int:
    """How many processors this process may use; two passwords are compared at a time, so no more than two count."""
    return min(2, len(os.sched_getaffinity(0)))


def one_comparison() -> float:
    """Seconds of processor time that comparing one password takes, whatever else the machine does."""
    kept = passwords.hashed(PASSWORD)
    began = time.process_time()
    for _ in range(4):
        passwords.matches(kept, "wrong")
    return (time.process_time() - began) / 4


def handshake(target: Target, origin: str) -> int:
    """The status of a websocket handshake that says it comes from ``origin``."""
    status, _ = target.ask(
        "GET",
        "/_stcore/stream",
        origin=origin,
        connection="Upgrade",
        upgrade="websocket",
        **{"sec-websocket-version": "13", "sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg=="},
    )
    return status


def slowest_health(target: Target, flood: Callable[[int], object], times: int) -> tuple[float, int]:
    """The longest answer of /healthz while ``flood`` runs ``times`` times, and how often it was asked."""
    over, taken = threading.Event(), []

    def ask() -> None:
        while not over.is_set():
            status, took = target.ask("GET", "/healthz")
            assert status == 200
            taken.append(took)

    asking = threading.Thread(target=ask)
    asking.start()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(flood, range(times)))
    over.set()
    asking.join()
    return max(taken), len(taken)


def test_a_flood_from_other_sites_leaves_health_under_half_a_second(target: Target) -> None:
    refused = []
    slowest, asked = slowest_health(
        target, lambda number: refused.append(handshake(target, f"http://evil{number}.example")), 400
    )
    _log.info(f"400 handshakes of other sites: /healthz at most {1000 * slowest:.0f} ms in {asked} answers")
    assert set(refused) == {403}
    assert slowest < 0.5


def test_a_flood_of_forms_from_other_sites_leaves_health_under_half_a_second(target: Target) -> None:
    form = urlencode({"name": "ann", "password": "wrong"})
    statuses = []

    def send(number: int) -> None:
        statuses.append(target.ask("POST", "/sign-in", form, origin=f"http://evil{number}.example")[0])

    slowest, asked = slowest_health(target, send, 400)
    _log.info(f"400 forms of other sites: /healthz at most {1000 * slowest:.0f} ms in {asked} answers")
    assert set(statuses) == {403}
    assert slowest < 0.5
