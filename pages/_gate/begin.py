"""The button of an installation without data: the demo chain, for whoever sits at this machine."""

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from data_access import beginning
from data_access.errors import Problem
from data_access.settings import settings
from pages._gate.begin_page import offers_demo
from pages._gate.gate import BEGIN
from pages._gate.sign_in import read
from pages._gate.state import State, any_account, state


async def demo(request: Request) -> Response:
    """Starts to write the demo chain where it is offered; back to the page that shows how far it is."""
    size = (await read(request)).get("size", "")
    await asyncio.to_thread(_start, request, size)
    return RedirectResponse("/", status_code=303)


async def back(_: Request) -> Response:
    """The address alone starts nothing."""
    return RedirectResponse("/", status_code=303)


def _start(request: Request, size: str) -> None:
    if state() is State.NO_DATA and size in beginning.SIZES and offers_demo(request, with_accounts=any_account()):
        try:
            beginning.begin(settings().home, "demo", size)
        except Problem:
            return  # somebody was faster: the page shows how far that is


ROUTES = [Route(BEGIN, back, methods=["GET"]), Route(BEGIN, demo, methods=["POST"])]
