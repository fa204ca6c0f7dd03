"""Which files in Streamlit's memory belong to whom.

Streamlit hands a download, a picture or an upload slot to anybody who knows its address. The gate learns the
addresses from the frames that go out to a sign-in, and lets only that sign-in use them.
"""

import re
from collections import OrderedDict

MEDIA = "/media/"
UPLOAD = "/_stcore/upload_file/"

# In a frame the byte after an address may be a letter of the next field, so both ids are matched by their length.
_ID = rb"[0-9a-f]{32}"
_UUID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IN_FRAME = re.compile(rb"/media/" + _ID + rb"|/_stcore/upload_file/" + _UUID + rb"/" + _UUID)
_MEDIA_PATH = re.compile(rf"(/media/{_ID.decode()})(?:\.\w{{1,16}})?")

_MOST_SIGN_INS = 2_000
_MOST_EACH = 2_000  # addresses; the oldest go first


class Belongings:
    """The addresses each sign-in has been told, in this process."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def learn(self, sign_in: str, frame: bytes) -> None:
        """Keeps the addresses that ``frame``, on its way to ``sign_in``, tells."""
        for found in _IN_FRAME.findall(frame):
            known = self._known.setdefault(sign_in, OrderedDict())
            self._known.move_to_end(sign_in)
            known[found.decode()] = None
            known.move_to_end(found.decode())
            while len(known) > _MOST_EACH:
                known.popitem(last=False)
        while len(self._known) > _MOST_SIGN_INS:
            self._known.popitem(last=False)

    def allow(self, sign_in: str, path: str) -> bool:
        """Whether ``sign_in`` may use ``path``: anything but files and uploads, and of those its own."""
        if not path.startswith((MEDIA, UPLOAD)):
            return True
        media = _MEDIA_PATH.fullmatch(path)
        address = media[1] if media else path
        return address in self._known.get(sign_in, ())
