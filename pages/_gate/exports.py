"""The one way by which files leave: offered by a page, fetched once, noted before the first byte goes out.

A page offers what it could write (``offer``) and draws a button. The button asks for the file; the answer leads to an
address that is good once, for this sign-in and for a moment, so what a browser, a proxy or a log remembers is worth
nothing. The file is built when that address is fetched. Rights are read before and after; the audit log has the file,
with its SHA-256, or it does not leave.
"""

import asyncio
import hashlib
import logging
import os
import secrets
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.state import audit, exports, tokens
from data_access.state.sessions import Session
from data_access.state.store import opened, writing
from pages._gate import identity, page
from pages._gate.gate import EXPORT
from pages._gate.look import chosen_language, instant
from pages._gate.sign_in import read
from pages._ui import access

GOOD_FOR = timedelta(minutes=1)  # an address is followed at once
MOST_ROWS = 1_000_000  # a spreadsheet opens no more
AT_ONCE = 2  # files being built for one sign-in

_MOST_OFFERS = 600  # in this process; the oldest go first
_MOST_GRANTS = 2_000
_CHUNK = 256 * 1024  # bytes

_MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

_log = logging.getLogger("mirror")
# Files take time; two at once leave the rest of the machine to the pages.
_workers = ThreadPoolExecutor(2, "export")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file says of itself: its number, and when it was taken away on the reader's clock."""

    file_id: str
    at: str


@dataclass(frozen=True, slots=True)
class Written:
    """What a file holds: rows of all its tables, their columns, and the keys of the customers it names."""

    rows: int
    columns: tuple[str, ...]
    customers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that a page could write for one sign-in.

    page, detail, scope: what the page showed, of whose rows. choices: the filters in words, for the log. name: without
    number and ending. write: puts the file where it is told; runs on a thread that knows no language.
    """

    sign_in: str
    page: str
    detail: access.Detail
    scope: Scope
    choices: str
    language: str
    name: str
    ending: str
    write: Callable[[BinaryIO, Stamp], Written]


class Refused(Exception):
    """Why no file leaves: the key of the sentence, and the status."""

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.key, self.status = key, status


class Offers:
    """What pages offer, by the digest of the token in the button."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Offer] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, token: str, offer: Offer) -> None:
        """Offers a file under ``token``, in the place of what was offered under it before."""
        with self._lock:
            self._known[tokens.digest(token)] = offer
            self._known.move_to_end(tokens.digest(token))
            while len(self._known) > _MOST_OFFERS:
                self._known.popitem(last=False)

    def withdraw(self, gone: Iterable[str]) -> None:
        """Forgets what is no longer on a screen."""
        with self._lock:
            for token in gone:
                self._known.pop(tokens.digest(token), None)

    def find(self, token: str, sign_in: str) -> Offer | None:
        """What is offered under ``token`` to this sign-in."""
        offer = self._known.get(tokens.digest(token))
        return offer if offer is not None and _is_whose(offer, sign_in) else None


class Grants:
    """The addresses that are good once, by the digest of their token."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Offer, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def mint(self, offer: Offer, now: datetime) -> str:
        """A new address for ``offer``."""
        token = tokens.fresh()
        with self._lock:
            self._known[tokens.digest(token)] = offer, now + GOOD_FOR
            while len(self._known) > _MOST_GRANTS:
                self._known.popitem(last=False)
        return token

    def take(self, token: str, sign_in: str, now: datetime) -> Offer | None:
        """The file behind an address, which is worth nothing from now on; None when it is or was nothing.

        Another sign-in gets nothing and leaves the address to its owner.
        """
        key = tokens.digest(token)
        with self._lock:
            offer, ends_at = self._known.get(key, (None, now))
            if offer is None or not _is_whose(offer, sign_in):
                return None
            _use_up(self._known, key)
        return offer if _in_time(now, ends_at) else None


def _is_whose(offer: Offer, sign_in: str) -> bool:
    return bool(sign_in) and offer.sign_in == sign_in


def _use_up(known: OrderedDict[str, tuple[Offer, datetime]], key: str) -> None:
    del known[key]


def _in_time(now: datetime, ends_at: datetime) -> bool:
    return now < ends_at


offers = Offers()
grants = Grants()
_building: Counter[str] = Counter()
_counting = threading.Lock()


async def ask(request: Request) -> Response:
    """A button was pressed: leads to an address that is good once."""
    form = await read(request)
    session = await asyncio.to_thread(_session, request)
    offer = offers.find(form.get("offer", ""), session.session_id) if session else None
    if offer is None:
        return _sentence(request, None, Refused("export.gone", 404))
    return RedirectResponse(f"{EXPORT}/{grants.mint(offer, utc_now())}", status_code=303)


async def fetch(request: Request) -> Response:
    """The file behind an address. Whoever only asks whether it is there uses nothing up."""
    session = await asyncio.to_thread(_session, request)
    token = request.path_params["token"]
    offer = grants.take(token, session.session_id, utc_now()) if session and request.method == "GET" else None
    if session is None or offer is None:
        return _sentence(request, None, Refused("export.gone", 404))
    stamp = Stamp(tokens.fresh_id(), instant(request, utc_now()))
    try:
        with _one_of_few(offer.sign_in):
            built = asyncio.get_running_loop().run_in_executor(_workers, _built, request, offer, session, stamp)
            file, length = await built
    except Refused as refusal:
        return _sentence(request, offer, refusal)
    return StreamingResponse(
        _chunks(file),
        media_type=_MEDIA_TYPES[offer.ending],
        headers={
            "content-length": str(length),
            "content-disposition": f'attachment; filename="{_file_name(offer, stamp)}"',
        },
    )


def _session(request: Request) -> Session | None:
    """The sign-in behind a request, with the rights of this moment."""
    token = identity.token_of(request)
    identity.forget(token)
    found = identity.look(token)
    return None if found is None or found.todo else found


def _built(request: Request, offer: Offer, session: Session, stamp: Stamp) -> tuple[BinaryIO, int]:
    """The file, written and noted. Nobody else can open it, and it is gone when it is closed. Refused otherwise."""
    _check_rights(offer, session)
    with ExitStack() as unless_done:
        file = unless_done.enter_context(tempfile.TemporaryFile())
        written = _write(offer, file, stamp)
        # Writing may have taken a while.
        _check_rights(offer, _session(request), written)
        length, digest = file.seek(0, os.SEEK_END), _digest(file)
        name = _file_name(offer, stamp)
        held = (offer.page, written.rows, written.columns, digest, written.customers)
        _note(session.actor, exports.File(stamp.file_id, name, *held), offer)
        file.seek(0)
        unless_done.pop_all()
    return file, length


def _check_rights(offer: Offer, session: Session | None, written: Written | None = None) -> None:
    """Refused unless the sign-in may have this file now; the refusal is logged."""
    if session is None:
        raise Refused("export.gone", 404)
    if _may_have(offer, session, written):
        return
    with writing(opened()) as connection:
        audit.append(connection, session.actor, "denied", offer.page, {"file": offer.name}, at=utc_now())
    raise Refused("export.not_yours", 403)


def _may_have(offer: Offer, session: Session, written: Written | None) -> bool:
    """Whether the person may open the page as it was, sees the rows it showed, and takes the customers it named."""
    from pages._ui import session as people  # its caches need the server, which is not there yet when this is imported

    person = identity.person_of(session)
    return (
        access.detail(person.role, offer.page) == offer.detail
        and _covers(people.reach(person), offer.scope)
        and (person.takes_customers or written is None or not written.customers)
    )


def _covers(wide: Scope, scope: Scope) -> bool:
    return wide.kind == "chain" or (scope.kind == "stores" and all(map(wide.allows, scope.store_ids)))


def _write(offer: Offer, file: BinaryIO, stamp: Stamp) -> Written:
    try:
        return offer.write(file, stamp)
    except Refused:
        raise
    except Exception as error:
        if type(error) is LookupError:  # of a generation that nobody holds any more
            raise Refused("export.renewed", 409) from error
        incident = secrets.token_hex(4).upper()
        _log.error("incident %s: export of %s", incident, offer.page, exc_info=error)
        raise Refused("export.failed", 500) from error


def _note(actor: str, file: exports.File, offer: Offer) -> None:
    """Writes down what is about to leave; without that it does not."""
    try:
        exports.note(opened(), actor, file, {"filters": offer.choices}, utc_now())
    except Problem as problem:
        _log.error("export of %s: %s", offer.page, problem)
        raise Refused("export.not_noted", 503) from problem


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _file_name(offer: Offer, stamp: Stamp) -> str:
    return f"{offer.name}-{stamp.file_id}.{offer.ending}"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


@contextmanager
def _one_of_few(sign_in: str) -> Iterator[None]:
    """Nobody keeps the others waiting with file after file."""
    with _counting:
        if _building[sign_in] >= AT_ONCE:
            raise Refused("export.busy", 429)
        _building[sign_in] += 1
    try:
        yield
    finally:
        with _counting:
            _building[sign_in] -= 1
            if not _building[sign_in]:
                del _building[sign_in]


def _sentence(request: Request, offer: Offer | None, refusal: Refused) -> Response:
    language = offer.language if offer else chosen_language(request)
    return page.no_file(request, language, refusal.key, f"/{offer.page}" if offer else "/", refusal.status)


ROUTES = [
    Route(EXPORT, ask, methods=["POST"]),
    Route(EXPORT + "/{token}", fetch, methods=["GET"]),
]
