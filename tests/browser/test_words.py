"""What is in sight in a browser: no words of the other language, nothing cut off, no long way down.

English that is right in Chinese stands in ``ALLOWED``: names of the trade and what the data call themselves. The walk
over every page in both languages is that of ``test_accessibility``.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from pages._ui import access
from tests.browser.conftest import PageAs, Server
from tests.browser.test_pages import open_path

ALLOWED = re.compile(
    r"^(App|CRM|ROI|RFM|RFM分|R-F-M|ABC|BG/NBD|BG|NBD|Gamma-Gamma|NPV|NPS|CSAT|SKU|VIP|Excel|PDF|CSV|English|WAPE|AUC|SQL|ID|GMROI|pp|vs|"
    r"LightGBM|MFLES|Prophet|"
    r"[A-Z]{1,3}\d*|P\d+|[a-z_]+@[\w.]+|\d.*)$"
)
# What people type or find on a server: commands, files and folders, settings.
TYPED = re.compile(r"python -m [\w. ]+|[\w/]+\.(?:toml|md)|[A-Z]+(?:_[A-Z]+)+|quarantine(?= 文件夹)")
# Words of the reader's language begin no Latin word of three letters or more, but for those above.
LATIN = re.compile(r"[A-Za-z][A-Za-z'/-]{2,}")
HAN = re.compile(r"[\u4e00-\u9fff]+")
THE_OTHER_LANGUAGE = re.compile("中文")  # what the switch to it is called
MISSING = "⟦"  # the mark of a text that no catalogue has

# Texts in sight: of the page, of its boxes and of what a screen reader says of them.
_TEXTS = """() => {
  const seen = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement, box = parent.getBoundingClientRect();
    // an icon is a word in a font of pictures; the frame's own link to the content wears our words
    const other = parent.closest('script,style,[data-testid=stSkipToContent]')
      || getComputedStyle(parent).fontFamily.includes('Material Symbols');
    if (!box.width || !box.height || other) continue;
    const text = walk.currentNode.textContent.trim();
    if (text) seen.push(text);
  }
  for (const input of document.querySelectorAll('input[placeholder],textarea[placeholder]'))
    if (input.getBoundingClientRect().width && !input.value) seen.push(input.placeholder);
  return seen;
}"""

# Texts wider than the box that hides their end, without dots that would say so.
_CUT = """() => [...document.querySelectorAll('h1,h2,h3,p,label,button,[data-testid=stMetricValue]')]
  .filter(e => e.children.length === 0 || e.matches('p,label'))
  .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1
            && getComputedStyle(e).overflowX === 'hidden' && getComputedStyle(e).textOverflow !== 'ellipsis')
  .map(e => e.textContent.trim())"""

# From the top of the page to the first thing to act on that is no filter and no menu, in screens.
_FIRST_ACTION = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  const acts = [...main.querySelectorAll(
    '[data-testid=stDataFrame],[data-testid=stPlotlyChart],[data-testid=stPageLink],button[kind=primary]')];
  const tops = acts.filter(e => !e.closest('.st-key-filters,.st-key-breadcrumb') && e.getBoundingClientRect().height)
    .map(e => e.getBoundingClientRect().top + main.scrollTop);
  return tops.length ? Math.min(...tops) / window.innerHeight : null;
}"""


def foreign(page: Page, language: str) -> set[str]:
    """The words in sight that are not of the language, and texts that are missing."""
    texts: list[str] = page.evaluate(_TEXTS)
    missing = {text for text in texts if MISSING in text}
    if language.startswith("en"):
        return missing | {word for text in texts for word in HAN.findall(THE_OTHER_LANGUAGE.sub("", text))}
    words = {word for text in texts for word in LATIN.findall(TYPED.sub(" ", text))}
    return missing | {word for word in words if not ALLOWED.match(word)}


def cut(page: Page) -> list[str]:
    """The texts whose end a box hides."""
    found: list[str] = page.evaluate(_CUT)
    return found


@pytest.fixture
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize(
    ("language", "said", "found"),
    [
        ("zh-CN", "净销售额 net sales ROI SKU 12", {"net", "sales"}),
        ("zh-CN", "python -m pages digests", set()),
        ("en-US", "Net sales 中文", set()),
        ("en-US", "Net sales 净销售额", {"净销售额"}),
        ("en-US", "⟦page.none⟧", {"⟦page.none⟧"}),
    ],
)
def test_words_of_another_language_are_found(blank: Page, language: str, said: str, found: set[str]) -> None:
    blank.set_content(f"<p>{said}</p>")
    assert foreign(blank, language) == found


def test_a_text_that_its_box_cuts_is_found(blank: Page) -> None:
    blank.set_content(
        '<p style="width:50px;overflow:hidden;white-space:nowrap">a text longer than its box</p><p>short</p>'
    )
    assert cut(blank) == ["a text longer than its box"]


@pytest.mark.slow
def test_a_manager_has_something_to_act_on_within_a_screen_and_a_half(page_as: PageAs, server: Server) -> None:
    page = page_as("manager", phone=True)
    far = {}
    for entry in access.PAGES:
        if "manager" not in entry.detail or not entry.listed or entry.section == "governance":
            continue
        open_path(page, server, f"/{entry.key}")
        screens = page.evaluate(_FIRST_ACTION)
        if screens is not None and screens >= 1.5:
            far[entry.key] = round(screens, 2)
    assert far == {}
