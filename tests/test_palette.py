"""The colours of the theme: ten of them, apart for colour-blind eyes too, readable on their ground."""

import colorsys
import math
import re
import tomllib
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import pytest

from pages._gate.look import asset
from pages._ui import grids, mail
from pages._ui.i18n import speaking

ROOT = Path(__file__).parent.parent
THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
SHELL = (ROOT / "pages" / "_ui" / "shell.css").read_text(encoding="utf-8")
MODES = ("light", "dark")
GREY_90 = {"light": "#262730", "dark": "#FAFAFA"}  # of Streamlit's own, which a theme does not set
LIGHT, DARK = THEME["chartCategoricalColors"], THEME["dark"]["chartCategoricalColors"]

# Machado, Oliveira, Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}
# Oklab (Ottosson 2020): linear RGB to cone responses, and their cube roots to lightness, green-red, blue-yellow.
CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def linear(colour: str) -> list[float]:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def seen(colour: str, sight: str) -> list[float]:
    """A colour in Oklab, times 100, as an eye of this kind sees it."""
    light = [min(max(channel, 0.0), 1.0) for channel in times(SIGHT[sight], linear(colour))]
    return [100 * value for value in times(LAB, [cone ** (1 / 3) for cone in times(CONES, light)])]


def contrast(colour: str, ground: str) -> float:
    """The contrast ratio of WCAG 2."""
    bright = [sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) for c in (colour, ground)]
    return (max(bright) + 0.05) / (min(bright) + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_there_are_ten_different_colours(colours: list[str]) -> None:
    assert len(set(colours)) == 10


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_apart(colours: list[str], sight: str) -> None:
    """About 2 is a just visible difference; a chart seldom has more than five series."""
    apart = {pair: math.dist(seen(pair[0], sight), seen(pair[1], sight)) for pair in combinations(colours, 2)}
    assert {pair: round(gap, 1) for pair, gap in apart.items() if gap < 7} == {}
    first_five = {pair: gap for pair, gap in apart.items() if set(pair) <= set(colours[:5])}
    assert min(first_five.values()) >= 11


def test_text_and_accents_are_readable() -> None:
    for mode in MODES:
        for surface in surfaces(mode):
            assert contrast(THEME[mode]["textColor"], surface) >= 7
            assert contrast(THEME[mode]["primaryColor"], surface) >= 4.5


def surfaces(mode: str) -> tuple[str, ...]:
    """The grounds that pages, cards and the side bar stand on."""
    theme = THEME[mode]
    return (theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"])


def of_shell(name: str, mode: str) -> str:
    """A colour that shell.css names, one for light and one for dark."""
    (colours,) = re.findall(rf"--{name}:light-dark\((#\w+),(#\w+)\)", SHELL)
    return str(colours[MODES.index(mode)])


@pytest.mark.parametrize("mode", MODES)
def test_the_text_of_filled_buttons_is_readable(mode: str) -> None:
    """Streamlit writes white on the accent, which is too bright for it in the dark: shell.css gives the ink, and the
    ground under the pointer and the focus."""
    ink = of_shell("on-filled", mode)
    for ground in (THEME[mode]["primaryColor"], of_shell("filled-strong", mode)):
        assert contrast(ink, ground) >= 4.5
    (rule,) = [line for line in SHELL.splitlines() if "color:var(--on-filled)" in line and "kind" in line]
    assert rule.startswith(':is(button,a)[kind^="primary"]:not(:disabled,[disabled]),')


@pytest.mark.parametrize("mode", MODES)
def test_the_text_of_chosen_buttons_is_readable(mode: str) -> None:
    """Segments and pills: the accent on a tenth of itself, on a fifth under the pointer; they stand on the page, on a
    popover, which has its ground, and in the side bar."""
    accent = THEME[mode]["primaryColor"]
    for ground in (THEME[mode]["backgroundColor"], THEME[mode]["sidebar"]["backgroundColor"]):
        for share in (0.0, 0.1, 0.2):
            assert contrast(accent, between([ground, accent], share)) >= 4.5


@pytest.mark.parametrize("mode", MODES)
def test_sign_in_and_messages_are_readable(mode: str) -> None:
    """The pages outside Streamlit have colours of their own."""
    roots = re.findall(r":root\{([^}]*)\}", asset("page.css"))
    colours = dict(re.findall(r"--([\w-]+):(#\w{6})", roots[MODES.index(mode)]))
    pairs = [
        ("on-accent", "accent"),
        ("on-accent", "accent-strong"),
        ("accent-strong", "tint"),
        ("wrong", "wrong-ground"),
        ("good", "card"),
        *((ink, ground) for ink in ("text", "soft", "accent") for ground in ("ground", "card", "glow")),
    ]
    ratios = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5} == {}


def test_areas_stand_out_from_their_ground() -> None:
    light = [contrast(colour, THEME["light"]["backgroundColor"]) for colour in LIGHT]
    assert min(light) >= 2.2  # the gold of event bands; lines and bars of figures use the first two
    assert min(light[:2]) >= 4.5
    assert min(contrast(colour, THEME["dark"]["backgroundColor"]) for colour in DARK) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_numbers_in_the_cells_of_heat_maps_are_readable(mode: str) -> None:
    """Each shade a cell may have, with the ink that is written on it: the grey that the browser has for text, which is
    not the theme's own."""
    scale = THEME["dark"]["chartSequentialColors"] if mode == "dark" else THEME["chartSequentialColors"]
    for hundredth in range(101):
        weak = hundredth / 100 <= grids._STRONG
        ink = GREY_90[mode] if weak else THEME[mode]["backgroundColor"]
        assert contrast(between(scale, grids._shade(hundredth / 100)), ink) >= (5.5 if weak else 4.5)
    assert grids._shade(1.0) == 1.0


def between(scale: list[str], share: float) -> str:
    """The colour that lies ``share`` along a scale, as browsers mix them."""
    step, rest = divmod(share * (len(scale) - 1), 1)
    one, next_one = scale[int(step)], scale[min(int(step) + 1, len(scale) - 1)]
    mixed = (int(one[i : i + 2], 16) * (1 - rest) + int(next_one[i : i + 2], 16) * rest for i in (1, 3, 5))
    return "#" + "".join(f"{round(channel):02x}" for channel in mixed)


@pytest.mark.parametrize("ground", mail.GROUNDS)
@pytest.mark.parametrize("use", ["ink", "soft", "own", "better", "worse"])
def test_words_of_a_mail_read_on_its_grounds_in_both_modes(use: str, ground: str) -> None:
    for words, behind in zip(mail.COLOURS[use], mail.COLOURS[ground], strict=True):
        assert contrast(words, behind) >= 4.5


class Words(HTMLParser):
    """(text, its ink, the ground under it) of a mail, as it is sent and as who knows its dark colours shows it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside = [{"light": ("", ""), "dark": ("", "")}]
        self.found: list[tuple[str, dict[str, tuple[str, str]]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "br"):
            return
        style, classes = (dict(attrs).get(name) or "" for name in ("style", "class"))
        now = {}
        for place, mode in enumerate(MODES):
            colours = list(self.inside[-1][mode])
            for which, name in enumerate((r"(?<![-\w])color", "background-color")):
                if said := re.search(rf"{name}:(#\w{{6}})", style):
                    colours[which] = said[1]
            for use in set(classes.split()) & set(mail.COLOURS) - {"rule"} if mode == "dark" else ():
                colours[use in mail.GROUNDS] = mail.COLOURS[use][place]
            now[mode] = (colours[0], colours[1])
        self.inside.append(now)

    def handle_endtag(self, tag: str) -> None:
        self.inside.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and self.inside[-1]["light"][1]:  # the head has no ground
            self.found.append((data, self.inside[-1]))


def turned(colour: str) -> str:
    """As light as it was dark, of the same hue."""
    hue, light, full = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in colorsys.hls_to_rgb(hue, 1 - light, full))


def lightness(colour: str) -> float:
    return colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))[1]


def test_every_word_of_a_mail_reads_where_its_reader_s_program_turns_the_colours() -> None:
    figures = [
        mail.Figure("sales", "¥5", (("last year", f"{sign}3.0%", good),))
        for sign, good in (("+", True), ("−", False), ("", None))
    ]
    lines = [mail.Entry("a store", "¥5", "https://mirror.example.com/store"), mail.Entry("a shelf")]
    with speaking("en"):
        page = mail.html(
            mail.Contents(
                "Overview",
                "all",
                "today",
                "below ¥9",
                figures,
                [("stores", lines)],
                "as of",
                "https://mirror.example.com",
            )
        )
    read = Words(page).found
    assert {text for text, _ in read} >= {"Overview", "¥5", "+3.0%", "a store", "a shelf", "below ¥9", "stores"}
    for text, modes in read:
        ink, ground = modes["light"]
        # some programs turn everything, others what is too light behind or too dark before
        shown = (
            modes["light"],
            modes["dark"],
            (turned(ink), turned(ground)),
            (turned(ink) if lightness(ink) < 0.5 else ink, turned(ground) if lightness(ground) > 0.5 else ground),
        )
        assert [(text, pair) for pair in shown if contrast(*pair) < 4.5] == []
