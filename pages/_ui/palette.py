"""Every colour a chart names, in one place. All are the theme's, so charts follow light and dark by themselves.

Streamlit sends placeholders to the browser, which puts the colours of the theme in force there in their place.
``theme.chartCategoricalColors`` has to list ten colours: with fewer the browser keeps none of them.
"""

from streamlit.elements.lib import streamlit_plotly_theme as theme

from pages._ui.i18n import language

OWN = theme.CATEGORY_0  # the figure the page is about
SECOND = theme.CATEGORY_1
WARM = theme.CATEGORY_2  # events: bands behind a line
QUIET = theme.CATEGORY_8  # what the figure is compared with
FALL = theme.CATEGORY_8  # what was lost: there is no joy in it

TEXT = theme.GRAY_90
SOFT_TEXT = theme.GRAY_70
GROUND = theme.BG_COLOR
RULE = theme.FADED_TEXT_05

SEQUENTIAL = tuple(getattr(theme, f"SEQUENTIAL_{step}") for step in range(10))
SCALE = [[step / 9, colour] for step, colour in enumerate(SEQUENTIAL)]

# The colour of a change for the better and for the worse, by language: (better, worse). An arrow always goes with
# it, so the colour is never the only sign.
_VERDICT = {"zh_CN": ("green", "red"), "en": ("green", "red")}


def verdict(better: bool | None) -> str:
    """The name of the colour of a change: better, worse or (None) neither."""
    if better is None:
        return "gray"
    good, bad = _VERDICT[language()]
    return good if better else bad
