"""Wakes the server's loop once for all that runs of pages leave for it, not once for each message.

A run of a page hands a hundred messages to the loop. For each, asyncio writes a byte to a socket of its own, which lets
go of the interpreter: the loop takes it, finds one message, and the run waits for its turn. One byte that is on its way
wakes the loop for everything that lies there when it looks.
"""

import asyncio
from asyncio.selector_events import BaseSelectorEventLoop


def once(loop: asyncio.AbstractEventLoop) -> None:
    """Lets ``loop`` be woken like that; other kinds of loops (uvloop) do so by themselves and stay as they are."""
    if not isinstance(loop, BaseSelectorEventLoop):
        return
    write, heard = loop._write_to_self, loop._process_self_data  # type: ignore[attr-defined]
    on_its_way = False

    def write_once() -> None:
        # Whoever calls this has left its work already.
        nonlocal on_its_way
        if not on_its_way:
            on_its_way = True
            write()

    def listen_again(data: bytes) -> None:
        # The loop is awake, and looks at all its work before it sleeps.
        nonlocal on_its_way
        on_its_way = False
        heard(data)

    loop._write_to_self, loop._process_self_data = write_once, listen_again  # type: ignore[attr-defined]
