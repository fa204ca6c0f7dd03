"""Ways out for messages: WeCom, DingTalk, Feishu, Slack and e-mail, as the administrator of the server allows them.

The file HOME/channels.toml names each way, whom it is for and its address as Apprise writes it (which holds a key or a
password, so nobody else may read the file). No page, address or person can name another place: nothing leaves for
anywhere that is not in the file.

    link = "https://mirror.example.com"

    [channels.east_group]
    url = "wecombot://KEY"
    people = ["lilei", "hanmeimei"]     # sign-in names
"""

import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_access import private
from data_access.errors import Problem

SCHEMES = ("wecombot", "dingtalk", "feishu", "slack", "mailto", "mailtos")
NAME = "channels.toml"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out. url: with its secrets, never shown; people: the sign-in names it may be chosen by."""

    name: str
    url: str = field(repr=False)
    people: frozenset[str]

    @property
    def kind(self) -> str:
        """wecombot, dingtalk, feishu, slack or mailto."""
        return (
            self.url.split("://", 1)[0].removesuffix("s") if self.url.startswith("mailto") else self.url.split(":")[0]
        )


@dataclass(frozen=True, slots=True)
class Channels:
    """What the file says. link: where people open the dashboard, empty when it does not say."""

    link: str = ""
    named: Mapping[str, Channel] = field(default_factory=dict)

    def of(self, sign_in_name: str) -> tuple[Channel, ...]:
        """The channels somebody may choose."""
        wanted = sign_in_name.casefold()
        return tuple(one for one in self.named.values() if wanted in one.people)


def channels(home: Path) -> Channels:
    """The channels of this server; none without the file.

    Problem when others may read the file, or something in it cannot be understood; it quotes no address.
    """
    path = home / NAME
    try:
        if path.stat().st_mode & private.OTHERS:
            raise Problem(f"{path} holds keys and others may read it: chmod 600 {path}")
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Channels()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Problem(f"{path} cannot be read ({type(error).__name__}): see docs/digests.md") from None
    link = said.get("link", "")
    if not isinstance(link, str) or (link and not link.startswith(("https://", "http://"))):
        raise Problem(f"link in {path} is not an address such as https://mirror.example.com")
    table = said.get("channels", {})
    if not isinstance(table, dict):
        raise Problem(f"{path} has no tables such as [channels.east_group]")
    return Channels(link.rstrip("/"), {name: _channel(name, entry, path) for name, entry in table.items()})


def _channel(name: str, entry: Any, path: Path) -> Channel:
    url = entry.get("url") if isinstance(entry, dict) else None
    people = entry.get("people") if isinstance(entry, dict) else None
    if not isinstance(url, str) or not isinstance(people, list) or not all(isinstance(one, str) for one in people):
        raise Problem(f'the channel {name!r} in {path} needs url = "..." and people = ["..."]')
    if url.split("://", 1)[0] not in SCHEMES or not 0 < len(name) <= 40:
        raise Problem(f"the channel {name!r} in {path} begins with none of {', '.join(SCHEMES)}")
    return Channel(name, url, frozenset(one.casefold() for one in people))


def send(channel: Channel, title: str, text: str, html: str) -> bool:
    """Whether the message was taken. Waits for the answer of the other side.

    E-mail gets ``html``, with its words as a second part for readers without it; messengers ``text``, as it is.
    """
    from apprise import Apprise, NotifyFormat  # it takes long to import, and only the command sends

    # It would log addresses, and with them keys.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    way = Apprise.instantiate(channel.url)
    if way is None:
        return False
    sender = Apprise()
    sender.add(way)
    if channel.kind == "mailto":
        return bool(sender.notify(body=html, title=title, body_format=NotifyFormat.HTML))
    return bool(sender.notify(body=text, title=title, body_format=NotifyFormat.TEXT))
