"""Digests: when they are due, what is tried again, which ways out there are, and what arrives at the other end."""

import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from email import message_from_string
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data_access.channels import Channel, Channels, channels, send
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.snapshot import GenerationInfo, current_snapshot
from data_access.state import accounts, audit, digests
from data_access.state.accounts import Account, Rights
from data_access.state.actions import Subject, Wish, act
from data_access.state.digests import Digest, Limit
from data_access.state.rules import Rule
from data_access.state.store import opened, prepare, state_engine
from models.reports._shape import select_columns
from models.reports.alerts import AlertsReport
from pages._gate.identity import Person
from pages._ui import digest_views
from pages._ui import digests as written_by
from pages._ui.i18n import text
from pages._ui.mail import Contents, Entry, Figure, html
from tests.small_chain import served
from tests.test_pages import SHELL, words

FRIDAY = datetime(2026, 11, 20, 10, 30)  # on this server's clock, eight hours before UTC
PASSWORD = "copper lantern drifts over nine quiet harbours"
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
        (digests.AT_ONCE, 7, datetime(2026, 11, 20, 10)),  # this hour
    ],
)
def test_the_latest_time_a_digest_was_due(engine: Engine, weekday: int, hour: int, slot: datetime) -> None:
    assert digests.slot(subscribe(engine, weekday, hour), FRIDAY) == slot


@pytest.mark.parametrize(
    ("at", "slot"), [(6, datetime(2026, 11, 19, 21)), (7, datetime(2026, 11, 20, 7)), (23, datetime(2026, 11, 20, 21))]
)
def test_what_is_told_at_once_wakes_nobody(engine: Engine, at: int, slot: datetime) -> None:
    made = subscribe(engine, digests.AT_ONCE, page="alerts")
    assert digests.slot(made, FRIDAY.replace(hour=at)) == slot


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
    taken = send(Channel("group", url, frozenset()), "总览", "净销售额 ¥1.2万\n<b>50%</b> & more", "<p>as a page</p>")
    assert taken is (status == 200)
    ((_, body),) = receiver.got
    assert "净销售额 ¥1.2万" in json.dumps(body, ensure_ascii=False)


class MailServer(socketserver.StreamRequestHandler):
    """As much of SMTP as one message needs."""

    got: list[str]

    def handle(self) -> None:
        self.say("220 here")
        while command := self.rfile.readline().decode().strip():
            if command.upper().startswith("DATA"):
                self.say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.got.append("".join(lines))
            if command.upper().startswith("QUIT"):
                self.say("221 bye")
                return
            self.say("250 fine")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[type[MailServer]]:
    class Own(MailServer):
        got: list[str] = []  # noqa: RUF012

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Own) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"127.0.0.1:{server.server_address[1]}"
        Own.address = f"mailto://{at}?from=a@example.com&to=b@example.com&mode=insecure"  # type: ignore[attr-defined]
        yield Own
        server.shutdown()


def parts(mail: str) -> tuple[str, str]:
    """What a mail says to readers of text, and to those of pages."""
    found = {
        part.get_content_type(): part.get_payload(decode=True).decode() for part in message_from_string(mail).walk()
        if not part.is_multipart()
    }  # fmt: skip
    assert list(found) == ["text/plain", "text/html"]  # readers take the last that they can show
    return found["text/plain"], found["text/html"]


def contents(name: str) -> Contents:
    figure = Figure("净销售额", "¥1.2万", (("去年同期", "+3.0%", True),))
    entry = Entry(name, "¥5", "https://mirror.example.com/store?store=S1&lang=en")
    return Contents(
        "总览", name, "11月20日", "", [figure], [(name, [entry])], "as of today", "https://mirror.example.com"
    )


def test_a_mail_arrives_as_a_page_and_as_its_words(mail_server: type[MailServer]) -> None:
    name = "A<b>&B"
    page = html(contents(name))
    assert send(Channel("mail", mail_server.address, frozenset()), "总览", "text", page)  # type: ignore[attr-defined]
    (mail,) = mail_server.got
    words, shown = parts(mail)
    assert "净销售额 ¥1.2万 去年同期 +3.0%" in words.splitlines()
    assert name in words
    assert shown.replace("\r\n", "\n") == page


def test_a_mail_escapes_names_and_fetches_nothing() -> None:
    page = html(contents('A<b>&B"'))
    assert "A<b>" not in page
    assert page.count("A&lt;b&gt;&amp;B&quot;") == 3  # scope, heading, line
    assert 'href="https://mirror.example.com/store?store=S1&amp;lang=en"' in page
    assert not any(fetched in page for fetched in ("<img", "<link", "<script", "url(", "@import"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain") / "home") as home:
        written(home, FILE.format(key=KEY))
        yield home


@pytest.fixture
def lilei(home: Path) -> Account:
    """The head of the region east, who has a channel."""
    known = accounts.find_by_name(opened(), "lilei")
    rights = Rights("regional", regions=("east",))
    if known is None:
        return accounts.create(opened(), "boss", "lilei", "Li Lei", rights, PASSWORD, NOW, initial=False)
    return accounts.change(opened(), "boss", known.account_id, NOW, rights=rights)


@pytest.fixture
def wecom(monkeypatch: pytest.MonkeyPatch, receiver: type[Receiver]) -> type[Receiver]:
    monkeypatch.setattr("apprise.plugins.wecombot.NotifyWeComBot.notify_url", f"{receiver.address}/wecom?key={{key}}")  # type: ignore[attr-defined]
    for one in digests.of(opened()):
        digests.remove(opened(), one.account_id, one.digest_id, NOW)
    return receiver


def send_after(hours: float) -> list[str]:
    after = timedelta(hours=hours)
    return [outcome for _, outcome, _ in written_by.send_due(NOW + after, FRIDAY + after)]


def order(account_id: str, page: str = "overview", channel: str = "group", limit: Limit | None = None) -> None:
    digests.subscribe(opened(), account_id, page, channel, "en", digests.EVERY_DAY, 9, NOW, FRIDAY, limit)


def test_a_digest_has_the_rows_of_its_recipient_and_no_others(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id)
    assert send_after(23) == ["sent"]
    ((_, body),) = wecom.got
    said = body["text"]["content"]  # type: ignore[index]
    # one order of 100 + 1 in S1 and one of 200 + 1 in S2
    assert "Net sales ¥302" in said
    assert "Hangzhou Mixc ¥201" in said
    assert "深圳" not in said
    assert "https://mirror.example.com/overview" in said


def test_a_mail_has_the_rows_of_its_recipient_in_their_language(
    lilei: Account, home: Path, mail_server: type[MailServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    way = Channel("group", mail_server.address, frozenset({"lilei"}))  # type: ignore[attr-defined]
    monkeypatch.setattr(written_by, "channels", lambda _: Channels("https://mirror.example.com", {"group": way}))
    for one in digests.of(opened()):
        digests.remove(opened(), one.account_id, one.digest_id, NOW)
    own = Subject("lapse", "store", "S1", "S1")
    mine = Wish("assigned", assignee=lilei.account_id)
    act(opened(), current_snapshot(home), Scope("stores", ("S1", "S2")), lilei.account_id, [own], mine, NOW)
    order(lilei.account_id)
    assert send_after(23) == ["sent"]
    for said in parts(mail_server.got[0]):
        # one order of 100 + 1 in S1 and one of 200 + 1 in S2
        assert "Net sales" in said
        assert "¥302" in said
        assert "Hangzhou Mixc" in said
        assert "1 row of your task list waits" in said
        assert "深圳" not in said
    assert 'href="https://mirror.example.com/store?store=S2"' in parts(mail_server.got[0])[1]


def test_rights_are_those_of_the_moment_it_is_sent(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id)
    accounts.change(opened(), "boss", lilei.account_id, NOW, rights=Rights("manager", stores=("S2",)))
    assert send_after(23) == ["sent"]
    assert "Net sales ¥201" in wecom.got[0][1]["text"]["content"]  # type: ignore[index]


def test_a_page_that_is_not_for_somebody_any_more_is_not_told(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id, page="stock")
    accounts.change(opened(), "boss", lilei.account_id, NOW, rights=Rights("marketing"))
    assert send_after(23) == ["not_yours"]
    assert wecom.got == []


def test_a_channel_that_is_not_allowed_any_more_gets_nothing(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id, channel="elsewhere")
    assert send_after(23) == ["no_channel"]
    assert wecom.got == []


def test_what_the_other_side_refuses_is_shown_and_tried_again(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id)
    wecom.status = 500
    assert send_after(23) == ["refused"]
    (kept,) = digests.of(opened(), lilei.account_id)
    assert digest_views.state(kept) == "again"
    wecom.status = 200
    (kept_until,) = [one.next_try_at for one in digests.of(opened(), lilei.account_id)]
    assert kept_until is not None
    local = FRIDAY + timedelta(hours=23.5)
    assert [outcome for _, outcome, _ in written_by.send_due(kept_until, local)] == ["sent"]
    assert digest_views.state(digests.of(opened(), lilei.account_id)[0]) == "sent"


@pytest.mark.parametrize(("falls", "threshold"), [(True, 300.0), (False, 303.0), (False, 302.0)])
def test_a_limit_that_is_not_passed_sends_nothing(
    lilei: Account, wecom: type[Receiver], falls: bool, threshold: float
) -> None:
    order(lilei.account_id, limit=Limit("net_sales", falls, threshold))  # it is 302
    assert send_after(23) == ["not_passed"]
    assert wecom.got == []
    (kept,) = digests.of(opened(), lilei.account_id)
    assert digest_views.state(kept) == "watching"


def test_a_limit_is_told_once_and_again_when_it_is_passed_anew(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    order(lilei.account_id, limit=Limit("net_sales", True, 1_000.0))
    assert send_after(23) == ["sent"]
    assert "Net sales below ¥1,000.00: now ¥302" in wecom.got[0][1]["text"]["content"]  # type: ignore[index]
    assert send_after(47) == ["still_passed"]
    (kept,) = digests.of(opened(), lilei.account_id)
    digests.looked(opened(), kept, passed=False)  # it had come back between
    assert send_after(71) == ["sent"]
    assert len(wecom.got) == 2


def test_a_limit_whose_message_is_refused_is_tried_again(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id, limit=Limit("net_sales", False, 10.0))
    wecom.status = 500
    assert send_after(23) == ["refused"]
    (kept,) = digests.of(opened(), lilei.account_id)
    assert (digest_views.state(kept), kept.passed) == ("again", None)
    wecom.status = 200
    assert kept.next_try_at is not None
    again = written_by.send_due(kept.next_try_at, FRIDAY + timedelta(hours=23.5))
    assert [outcome for _, outcome, _ in again] == ["sent"]


def test_a_limit_is_of_the_recipients_own_stores(lilei: Account, wecom: type[Receiver]) -> None:
    order(lilei.account_id, limit=Limit("net_sales", True, 250.0))  # east sells 302, its store S2 201
    accounts.change(opened(), "boss", lilei.account_id, NOW, rights=Rights("manager", stores=("S2",)))
    assert send_after(23) == ["sent"]


def test_a_day_still_under_way_is_no_day_of_a_limit() -> None:
    under_way = GenerationInfo(1, NOW, datetime(2026, 11, 20, 15), date(2026, 1, 1), date(2026, 11, 20), "CNY", False)
    over = replace(under_way, as_of=datetime(2026, 11, 21, 1))
    days = [written_by._days("overview", info, digests.EVERY_DAY, whole=True).last for info in (under_way, over)]
    assert days == [date(2026, 11, 19), date(2026, 11, 20)]


def visit(monkeypatch: pytest.MonkeyPatch, person: Person) -> AppTest:
    monkeypatch.setattr("pages._ui.session.identity", lambda: person)
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "en")
    at = AppTest.from_file(SHELL, default_timeout=60)
    at.query_params["lang"] = "en"
    at.switch_page("digests.py").run()
    assert not at.exception
    return at


def test_somebody_subscribes_on_the_page(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = visit(monkeypatch, Person("regional", ("east",), lilei.account_id, "Li Lei"))
    assert "Net sales" in at.expander[0].text[0].value
    at.button(key="digest_subscribe").click().run()
    assert [(one.page, one.channel, one.hour) for one in digests.of(opened(), lilei.account_id)] == [
        ("overview", "group", 9)
    ]
    assert KEY not in words(at)


def test_somebody_sets_a_limit_on_the_page(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = visit(monkeypatch, Person("regional", ("east",), lilei.account_id, "Li Lei"))
    at.selectbox(key="digest_send").select("below").run()
    at.selectbox(key="digest_metric").select("identified_share").run()
    at.number_input(key="digest_threshold_overview_identified_share").set_value(40.0).run()
    at.button(key="digest_subscribe").click().run()
    assert not at.exception
    assert [one.limit for one in digests.of(opened(), lilei.account_id)] == [Limit("identified_share", True, 0.4)]
    assert "below 40.0%" in words(at)


def alerts_of(*told: tuple[str, date, str]) -> AlertsReport:
    """Orders of stores on days, with the kind of their row: 1 where 4 to 12 were to be expected."""
    row = {"metric": "orders", "grain": "day", "value": 1.0, "expected": 8.0, "lo": 4.0, "hi": 12.0, "change": -7.0}
    stores = [{"store_id": store, "store": store, "day": pd.Timestamp(day), "kind": kind} for store, day, kind in told]
    rows = pd.DataFrame([{**row, "region": "East", "change_ratio": -7 / 8, "chance": 0.001, **one} for one in stores])
    return AlertsReport(date(2026, 11, 20), "CNY", **select_columns(AlertsReport, alerts=rows))


def test_an_alert_is_told_once_within_the_hour_and_only_what_is_new(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = ("S1", date(2026, 11, 19), "alert"), ("S2", date(2026, 11, 20), "alert")
    reports = [alerts_of(("S1", date(2026, 11, 18), "odd"), first), alerts_of(first), alerts_of(first, second)]
    told_to: list[Scope] = []
    monkeypatch.setattr(
        "pages._ui.load.alerts", lambda scope, generation: told_to.append(scope) or reports[len(told_to) - 1]
    )
    digests.subscribe(opened(), lilei.account_id, "alerts", "group", "en", digests.AT_ONCE, 7, NOW, FRIDAY)
    assert [send_after(hours) for hours in (0.25, 0.5, 1.5, 2.5)] == [[], ["sent"], ["nothing_new"], ["sent"]]
    said = [body["text"]["content"] for _, body in wecom.got]  # type: ignore[index]
    assert told_to == [Scope("stores", ("S1", "S2"))] * 3
    assert ["S1" in said[0], "S2" in said[0], "1 new alert" in said[0], "Nov 18" in said[0]] == [
        True,
        False,
        True,
        False,
    ]
    assert ["S1" in said[1], "S2" in said[1]] == [False, True]
    assert "https://mirror.example.com/alerts?alert=S2%7Corders%7Cday%7C2026-11-20" in said[1]


def test_somebody_wants_alerts_on_the_page_and_is_not_told_what_is_there_already(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.load.alerts", lambda *_: alerts_of(("S1", date(2026, 11, 19), "alert")))
    at = visit(monkeypatch, Person("regional", ("east",), lilei.account_id, "Li Lei"))
    at.selectbox(key="digest_page").select("alerts").run()
    assert "S1" in at.expander[0].text[0].value
    at.button(key="digest_subscribe").click().run()
    assert not at.exception
    (made,) = digests.of(opened(), lilei.account_id)
    assert (made.page, made.weekday, made.known) == ("alerts", digests.AT_ONCE, {"S1|orders|day|2026-11-19"})
    later = timedelta(days=1)
    outcomes = [outcome for _, outcome, _ in written_by.send_due(utc_now() + later, datetime.now() + later)]
    assert outcomes == ["nothing_new"]
    assert wecom.got == []


def test_its_recipient_sees_why_it_did_not_arrive_and_when_it_is_tried_again(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    order(lilei.account_id)
    wecom.status = 500
    send_after(23)
    at = visit(monkeypatch, Person("regional", ("east",), lilei.account_id, "Li Lei"))
    said = [one.value for one in at.caption if text("en", "digest.failure.refused") in one.value]
    assert len(said) == 1
    assert "The next try is on" in said[0]


def test_who_has_no_channel_is_told_whom_to_ask(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = accounts.find_by_name(opened(), "han") or accounts.create(
        opened(), "boss", "han", "Han", Rights("marketing"), PASSWORD, NOW, initial=False
    )
    at = visit(monkeypatch, Person("marketing", (), known.account_id, "Han"))
    assert text("en", "digests.no_channel") in [info.value for info in at.info]


def test_an_administrator_sees_what_did_not_arrive_and_no_address(
    lilei: Account, wecom: type[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    order(lilei.account_id, channel="elsewhere")
    send_after(23)
    at = visit(monkeypatch, Person("administrator", actor="boss", name="Boss"))
    said = words(at)
    assert text("en", "digest.failure.no_channel") in said
    assert "Li Lei" in said
    assert KEY not in said
