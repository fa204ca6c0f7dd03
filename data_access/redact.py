"""Phone numbers and e-mail addresses never get into a log, whatever an error of somebody else's making says.

No text of ours names anybody. What a driver, a parser or a library puts into its errors is not ours to choose; what
looks like a number or an address in them is crossed out as the record is made, so before any handler sees it. Names
cannot be told from other words: errors of databases leave out the values (``hide_parameters``).
"""

import logging
import re
import traceback
from typing import Any

# A mobile number of the mainland with or without its country, any other with its country, and e-mail addresses.
_PERSONAL = re.compile(
    r"(?<![\w.])(?:\+?86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?![\w])"
    r"|\+\d[\d\s().-]{6,}\d"
    r"|[\w.+-]+@[\w-]+\.[\w.-]*\w"
)
HIDDEN = "[hidden]"


def redacted(text: str) -> str:
    """``text`` without what looks like a phone number or an e-mail address."""
    return _PERSONAL.sub(HIDDEN, text)


def in_logs() -> None:
    """From now on every record of this process is made without them, its traceback included."""
    made = logging.getLogRecordFactory()
    if getattr(made, "hides_persons", False):
        return

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        record.msg = redacted(record.msg) if isinstance(record.msg, str) else record.msg
        if isinstance(record.args, tuple):
            record.args = tuple(_plain(value) for value in record.args)
        if record.exc_info and record.exc_info[1] is not None:
            # A formatter takes this text in the place of what it would write itself.
            record.exc_text = redacted("".join(traceback.format_exception(record.exc_info[1])).rstrip())
        return record

    make.hides_persons = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make)


def _plain(value: object) -> object:
    """An argument of a message: texts and errors in words, everything else as it is."""
    return redacted(str(value)) if isinstance(value, str | BaseException) else value
