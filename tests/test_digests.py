"""Digests: when they are due, what is tried again, which ways out there are, and what arrives at the other end."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine

from data_access.channels import Channel, channels, send
from data_access.errors import Problem
from data_access.state import audit, digests
from data_access.state.digests import Digest
from data_access.state.rules import Rule
from data_access.state.store import prepare, state_engine

FRIDAY = datetime(2026, 11, 20, 10, 30)  # on the stores' clock, eight hours before UTC
NOW = FRIDAY - timedelta(hours=8)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = state_engine(f"sqlite:///{tmp_path / 'state.sqlite'}")
    prepare(made)
    yield made
    made.dispose()


def subscribe(engine: Engine, weekday: int = digests.EVERY_DAY, hour: int = 9, page: str = "overview") -> Digest:
    return digests.subscribe(engine, "a1", page, "group", "en", weekday, hour, NOW, FRIDAY)


def claim(engine: Engine, after: timedelta) -> tuple[Digest, ...]:
    return digests.claim(engine, NOW + after, FRIDAY + after)


def actions(engine: Engine) -> list[str]:
    return [entry.action for entry in audit.search(engine, audit.Filter(), 1).entries][::-1]


@pytest.mark.parametrize(
    ("weekday", "hour", "slot"),
    [
        (0, 9, datetime(2026, 11, 20, 9)),  # today's hour is over
        (0, 11, datetime(2026, 11, 19, 11)),  # today's is to come
        (5, 10, datetime(2026, 11, 20, 10)),  # this Friday
        (5, 11, datetime(2026, 11, 13, 11)),  # the Friday before
        (1, 9, datetime(2026, 11, 16, 9)),  # Monday of this week
        (7, 9, datetime(2026, 11, 15, 9)),  # Sunday of the week before
    ],
)
def test_the_latest_time_a_digest_was_due(engine: Engine, weekday: int, hour: int, slot: datetime) -> None:
    assert digests.slot(subscribe(engine, weekday, hour), FRIDAY) == slot


def test_a_new_digest_waits_for_its_next_time_and_is_sent_once(engine: Engine) -> None:
    made = subscribe(engine)
    assert claim(engine, timedelta(hours=22)) == ()  # Saturday 8:30
    (due,) = claim(engine, timedelta(hours=23))
    assert due.slot == datetime(2026, 11, 21, 9)
    assert claim(engine, timedelta(hours=23)) == ()  # somebody else runs the command, too
    digests.sent(engine, due, NOW + timedelta(hours=23))
    assert claim(engine, timedelta(hours=24)) == ()
    assert [one.digest_id for one in claim(engine, timedelta(hours=47))] == [made.digest_id]
    assert actions(engine) == ["digest_subscribed", "digest_sent"]


def test_what_fails_is_tried_again_later_and_later_and_then_at_its_next_time(engine: Engine) -> None:
    subscribe(engine)
    at = timedelta(hours=22, minutes=30)
    waits = []
    for _ in range(digests.TRIES):
        (due,) = claim(engine, at)
        digests.failed(engine, due, "refused", NOW + at)
        (kept,) = digests.of(engine)
        if kept.next_try_at is not None:
            waits.append((kept.next_try_at - (NOW + at)) // timedelta(minutes=1))
            assert claim(engine, at + timedelta(minutes=waits[-1] - 1)) == ()
            at += timedelta(minutes=waits[-1])
    assert waits == [5, 10, 20, 40, 80]
    assert claim(engine, timedelta(hours=46)) == ()
    (again,) = claim(engine, timedelta(hours=47))
    assert (again.tries, again.failure) == (1, "refused")


def test_a_digest_whose_sender_died_is_taken_up_again(engine: Engine) -> None:
    subscribe(engine)
    assert len(claim(engine, timedelta(hours=23))) == 1
    assert len(claim(engine, timedelta(hours=23) + digests.CLAIMED_FOR)) == 1


def test_the_same_digest_twice_and_somebody_elses_are_refused(engine: Engine) -> None:
    made = subscribe(engine)
    with pytest.raises(Rule, match="already"):
        subscribe(engine)
    with pytest.raises(Rule, match="any more"):
        digests.remove(engine, "a2", made.digest_id, NOW)
    digests.remove(engine, "a1", made.digest_id, NOW)
    assert digests.of(engine, "a1") == ()


def test_ten_digests_are_the_most(engine: Engine) -> None:
    for hour in range(digests.MOST):
        subscribe(engine, hour=hour)
    with pytest.raises(Rule, match="at most 10"):
        subscribe(engine, hour=20)


FILE = """
link = "https://mirror.example.com/"
[channels.group]
url = "wecombot://{key}"
people = ["LiLei"]
"""
KEY = "1234567890abcdef1234567890abcdef1234"


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    file = tmp_path / "channels.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return tmp_path


def test_a_channel_is_for_those_it_names(tmp_path: Path) -> None:
    found = channels(written(tmp_path, FILE.format(key=KEY)))
    assert [one.name for one in found.of("lilei")] == ["group"]
    assert found.of("hanmeimei") == ()
    assert found.link == "https://mirror.example.com"
    assert KEY not in repr(found)


def test_without_a_file_nothing_leaves(tmp_path: Path) -> None:
    assert channels(tmp_path).named == {}


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [
        (FILE, 0o644, "chmod 600"),
        (FILE.replace("wecombot", "json"), 0o600, "begins with none of"),
        (FILE.replace("wecombot", "file"), 0o600, "begins with none of"),
        (FILE.replace("people", "peple"), 0o600, "needs url"),
        ("[channels", 0o600, "cannot be read"),
    ],
)
def test_a_file_that_is_wrong_is_said_to_be_without_its_keys(
    tmp_path: Path, text: str, mode: int, sentence: str
) -> None:
    with pytest.raises(Problem, match=sentence) as problem:
        channels(written(tmp_path, text.format(key=KEY) if "{" in text else text, mode))
    assert KEY not in str(problem.value)


class Receiver(BaseHTTPRequestHandler):
    """A messenger on this machine: keeps what it gets, and answers as it is told."""

    got: list[tuple[str, dict[str, object]]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.got.append((self.path, json.loads(body)))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b'{"errcode": 0, "code": 0}' if "slack" not in self.path else b"ok")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[type[Receiver]]:
    class Own(Receiver):
        got: list[tuple[str, dict[str, object]]] = []  # noqa: RUF012

    server = HTTPServer(("127.0.0.1", 0), Own)
    Own.address = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Own
    server.shutdown()
    server.server_close()


# scheme, address, module and class of Apprise, the attribute with the address of the messenger, what replaces it
WAYS = [
    (f"wecombot://{KEY}", "wecombot", "NotifyWeComBot", "/wecom?key={key}"),
    (f"dingtalk://{'b' * 64}", "dingtalk", "NotifyDingTalk", "/dingtalk?access_token={token}"),
    (f"feishu://{'c' * 36}", "feishu", "NotifyFeishu", "/feishu/{token}/"),
]


@pytest.mark.parametrize(("url", "module", "name", "path"), WAYS, ids=[way[1] for way in WAYS])
@pytest.mark.parametrize("status", [200, 500])
def test_a_messenger_gets_the_text_and_its_refusal_counts(
    monkeypatch: pytest.MonkeyPatch,
    receiver: type[Receiver],
    url: str,
    module: str,
    name: str,
    path: str,
    status: int,
) -> None:
    plugin = getattr(__import__(f"apprise.plugins.{module}", fromlist=[name]), name)
    monkeypatch.setattr(plugin, "notify_url", receiver.address + path)  # type: ignore[attr-defined]
    receiver.status = status
    taken = send(Channel("group", url, frozenset()), "总览", "净销售额 ¥1.2万\n<b>50%</b> & more")
    assert taken is (status == 200)
    ((_, body),) = receiver.got
    assert "净销售额 ¥1.2万" in json.dumps(body, ensure_ascii=False)
