"""A digest as an e-mail: one column of key figures, what needs its reader today and the stores, with links.

Styles stand in the tags, because many mail readers drop those of the head; the head adds the colours of the dark. No
image is fetched. Whoever reads mail as text gets the lines in the order in which they stand here.

Programs that do not know the dark colours turn those of the light by themselves: grounds stand as
``background-color`` beside or around the ink of each text, so that both turn and the text still reads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from pages._ui.i18n import t

_FONT = "-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC','Noto Sans SC',Arial,sans-serif"
_ACROSS = 2  # cards beside each other: two fit a phone as well
_BETTER = {True: "better", False: "worse", None: "soft"}

# Colours by what they are for: (on white, in the dark), those of the theme. Each reads at AA on both grounds.
COLOURS = {
    "ground": ("#FAF8F7", "#17151C"),
    "panel": ("#FFFFFF", "#211E28"),
    "card": ("#FAF6F8", "#2A2230"),
    "ink": ("#24212B", "#EDE9EF"),
    "soft": ("#6A6474", "#B8AFC0"),
    "rule": ("#E7E1DF", "#37323F"),
    "own": ("#8C3B5E", "#E093AE"),
    "better": ("#1E7047", "#9EE7C8"),
    "worse": ("#B3261E", "#FFB4AB"),
}
GROUNDS = ("ground", "panel", "card")


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure. changes: against what, by how much, and whether that is good (None: neither)."""

    name: str
    value: str
    changes: tuple[tuple[str, str, bool | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list, and where it leads; empty where the dashboard has no address."""

    name: str
    value: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a digest says, in words.

    days: of its figures, if it has any; passed: the limit its figure passed; address: of the page it is about.
    """

    page: str
    scope: str
    days: str
    passed: str
    figures: Sequence[Figure]
    lists: Sequence[tuple[str, Sequence[Entry]]]  # heading and lines
    as_of: str
    address: str


def html(said: Contents) -> str:
    """The e-mail. Every value is escaped."""
    parts = [
        _row(
            f'<span style="font-size:13px;font-weight:600;{_ink("own")}" class="own">'
            f'<span style="display:inline-block;width:8px;height:8px;border:3px solid #8C3B5E;border-radius:50%;'
            f'background-color:#F8E7EE;margin-right:6px"></span>{escape(t("app.name"))}</span>',
            "24px 24px 0",
        ),
        _row(
            f'<h1 class="ink" style="margin:0;font-size:22px;line-height:1.3;font-weight:600;{_ink("ink")}">'
            f"{escape(said.page)}</h1>"
            f'<p class="soft" style="margin:2px 0 0;font-size:14px;line-height:1.5;{_ink("soft")}">'
            f"{escape(' · '.join(filter(None, (said.scope, said.days))))}</p>",
            "6px 24px 12px",
        ),
    ]
    if said.passed:
        parts.append(
            _row(
                f'<p class="ink card" style="margin:0;padding:12px 14px;border-left:4px solid #8C3B5E;font-size:15px;'
                f'line-height:1.5;font-weight:600;{_ink("ink")};{_ground("card")}">{escape(said.passed)}</p>',
                "0 24px 12px",
            )
        )
    if said.figures:
        parts.append(_row(_cards(said.figures), "0 20px 4px"))
    parts += [_row(_list(heading, entries), "12px 24px 4px") for heading, entries in said.lists]
    if said.address:
        parts.append(_row(_button(said.page, said.address), "20px 24px 4px"))
    foot = escape(said.as_of) + "<br>" + escape(t("mail.why"))
    parts.append(
        _row(
            f'<p class="soft" style="margin:0;font-size:12px;line-height:1.6;{_ink("soft")}">{foot}</p>',
            "16px 24px 24px",
        )
    )
    return (
        f'<!doctype html><html lang="{escape(t("print.lang"))}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(said.page)}</title><style>{_dark()}</style></head>"
        f'<body class="ground" style="margin:0;padding:0;{_ground("ground")};font-family:{_FONT}">'
        f'<table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0" '
        f'style="border-collapse:collapse;{_ground("ground")}"><tr><td align="center" style="padding:16px 8px">'
        f'<table role="presentation" class="panel rule" width="100%" cellpadding="0" cellspacing="0" '
        f'style="max-width:600px;border-collapse:separate;text-align:left;border:1px solid #E7E1DF;'
        f"border-top:4px solid #8C3B5E;"
        f'border-radius:10px;{_ground("panel")};font-family:{_FONT}">{"".join(parts)}</table></td></tr></table>'
        "</body></html>"
    )


def _row(inner: str, padding: str) -> str:
    return f'<tr><td style="padding:{padding}">{inner}</td></tr>'


def _cards(figures: Sequence[Figure]) -> str:
    rows = []
    for first in range(0, len(figures), _ACROSS):
        cards = [_card(one) for one in figures[first : first + _ACROSS]]
        cards += [""] * (_ACROSS - len(cards))
        cells = "".join(f'<td width="50%" valign="top" style="padding:4px">{card}</td>' for card in cards)
        rows.append(f"<tr>{cells}</tr>")
    return (
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
        f'style="table-layout:fixed;border-collapse:collapse">{"".join(rows)}</table>'
    )


def _card(figure: Figure) -> str:
    changes = "".join(
        f' <span class="soft" style="display:block;font-size:12px;line-height:1.5;{_ink("soft")}">{escape(other)} '
        f'<b class="{_BETTER[better]}" style="font-weight:600;white-space:nowrap;{_ink(_BETTER[better])}">'
        f"{escape(change)}</b></span>"
        for other, change, better in figure.changes
    )
    return (
        f'<div class="card" style="padding:12px 14px;border-radius:8px;{_ground("card")}">'
        f'<span class="soft" style="display:block;font-size:13px;line-height:1.4;{_ink("soft")}">'
        f"{escape(figure.name)}</span> "
        f'<span class="ink" style="display:block;font-size:22px;line-height:1.35;font-weight:600;{_ink("ink")}">'
        f"{escape(figure.value)}</span>{changes}</div>"
    )


def _list(heading: str, entries: Iterable[Entry]) -> str:
    lines = []
    for entry in entries:
        name, rule = escape(entry.name), f"padding:8px 0;border-top:1px solid {COLOURS['rule'][0]}"
        if entry.address:
            name = (
                f'<a class="own" href="{escape(entry.address)}" style="{_ink("own")};text-decoration:none;'
                f'font-weight:600">{name}</a>'
            )
        if entry.value:
            name += f' <span style="float:right;padding-left:12px;white-space:nowrap">{escape(entry.value)}</span>'
        lines.append(
            f'<tr><td class="ink rule" style="{rule};font-size:14px;line-height:1.5;{_ink("ink")}">{name}</td></tr>'
        )
    return (
        f'<h2 class="ink" style="margin:0 0 6px;font-size:15px;line-height:1.4;font-weight:600;{_ink("ink")}">'
        f'{escape(heading)}</h2><table role="presentation" width="100%" cellpadding="0" cellspacing="0" '
        f'style="border-collapse:collapse">{"".join(lines)}</table>'
    )


def _button(page: str, address: str) -> str:
    """A link of a thumb's size, and its address in plain sight for readers that show text."""
    return (
        f'<a href="{escape(address)}" style="display:inline-block;padding:12px 22px;border-radius:8px;'
        f'background-color:#8C3B5E;color:#FFFFFF;font-size:15px;font-weight:600;text-decoration:none">'
        f"{escape(t('mail.open', page=page))}</a>"
        f'<p class="soft" style="margin:8px 0 0;font-size:12px;line-height:1.5;word-break:break-all;{_ink("soft")}">'
        f"{escape(address)}</p>"
    )


def _ink(use: str) -> str:
    return f"color:{COLOURS[use][0]}"


def _ground(use: str) -> str:
    return f"background-color:{COLOURS[use][0]}"


def _dark() -> str:
    """The same colours for readers in the dark."""
    said = []
    for use, (_, dark) in COLOURS.items():
        of = "background-color" if use in GROUNDS else "border-color" if use == "rule" else "color"
        said.append(f".{use}{{{of}:{dark}!important}}")
    return f":root{{color-scheme:light dark}}@media (prefers-color-scheme:dark){{{''.join(said)}}}"
