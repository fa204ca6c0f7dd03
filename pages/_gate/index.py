"""The HTML page that starts Streamlit in the browser: Streamlit's own, with our name, language and mark.

It also tells the browser where the server is, and the server whether the window is narrow and which time zone it is
in. Without the former, a visit to ``/segments`` first looks for a server under ``/segments/`` and logs two errors
before it finds the one at the root; without the latter, no page could draw fewer labels where there is no room. When
the gate closes the socket because the sign-in has ended, the page is asked for again, which leads to the sign-in page:
no figures stay on a screen that nobody is signed in at.

One click makes one entry in the browser's history. Streamlit makes up to three when a click opens another page, the
first with the address of what is opened under the page one leaves: Back would lead to a product page that has lost its
product.

A row of a list that is reached by keys waits for Enter or Space: the server is told how the focus came (keys.py). A
click on the very cell that keys have reached changes nothing that the list would tell, and so opens it as Enter does.

A theme that changes while a page is open runs the page again, so that its charts are drawn in the new colours. The
whole document is told which it is, for what Streamlit opens outside the app: dialogs and popovers.

What the first pages consist of, charts and tables among it, is named in it, so that the browser fetches it while the
first page is computed, and not after.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import streamlit as st

from pages._gate.look import NARROW, SCREEN_COOKIE, ZONE_COOKIE, icon, tag
from pages._gate.sockets import REVOKED
from pages._ui import keys
from pages._ui.device import THEME_BUTTON
from pages._ui.i18n import text

START = "/start.js"
# Streamlit's files for what the first pages show, by the part of their names before the hash.
_FIRST = (
    "PlotlyChart", "DataFrame", "Metric", "Html", "PageLink", "TextInput", "ButtonGroup", "Selectbox", "Multiselect",
)  # fmt: skip
_HEADINGS, _BOXES = 36, 44  # pixels of a list: the height of its headings, the width of its boxes to tick
_ENTRIES = {
    "script": r'<script type="module" crossorigin src="\.(/static/js/[^"]+)"',
    "style": r'<link rel="stylesheet" crossorigin href="\.(/static/css/[^"]+)"',
}
START_SCRIPT = f"""window.__streamlit = {{BACKEND_BASE_URL: window.location.origin + "/"}};
document.cookie = "{SCREEN_COOKIE}=" + (window.innerWidth < {NARROW} ? "narrow" : "wide") + "; path=/; samesite=lax";
document.cookie = "{ZONE_COOKIE}=" + Intl.DateTimeFormat().resolvedOptions().timeZone + "; path=/; samesite=lax";
window.WebSocket = class extends window.WebSocket {{
  constructor(...wanted) {{
    super(...wanted);
    this.addEventListener("close", (event) => {{ if (event.code === {REVOKED}) window.location.reload(); }});
  }}
}};
const push = window.history.pushState.bind(window.history);
let pushed = false;  // since somebody last did something
for (const act of ["pointerdown", "keydown", "click", "input", "popstate"])
  addEventListener(act, () => {{ pushed = false; }}, true);
window.history.pushState = (...entry) => {{
  if (pushed) window.history.replaceState(...entry); else push(...entry);
  pushed = true;
}};
const press = (name) => document.querySelector(`.st-key-${{name}} button`)?.click();
let byKeys = false, key = "";
const inList = (event) => event.target instanceof Element && event.target.closest("[class*=st-key-{keys.LIST}]");
const onRow = (list, event) => {{  // and neither on the headings nor on a box to tick
  const {{left, top}} = list.querySelector("canvas").getBoundingClientRect();
  const boxes = !list.querySelector("[id^=glide-cell-0-]");
  return event.clientY > top + {_HEADINGS} && (!boxes || event.clientX > left + {_BOXES});
}};
addEventListener("keydown", (event) => {{
  key = event.key;
  if (!byKeys || !inList(event) || (key !== "Enter" && key !== " ") || event.shiftKey) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  setTimeout(() => press("{keys.OPEN}"), 250);  // once the list has told which row it is
}}, true);
addEventListener("focusin", (event) => {{
  if (byKeys || !key || !inList(event)) return;
  byKeys = true;
  press("{keys.BY_KEYS}");
}}, true);
addEventListener("pointerdown", (event) => {{
  key = "";
  const list = inList(event), cell = document.activeElement;
  const held = byKeys && list && list.contains(cell) && cell.id.startsWith("glide-cell-") && onRow(list, event);
  if (byKeys) press("{keys.BY_POINTER}");
  byKeys = false;
  if (held) setTimeout(() => {{ if (document.activeElement === cell) press("{keys.OPEN}"); }}, 400);
}}, true);
const theme = (app) => getComputedStyle(app).colorScheme;
const started = new MutationObserver(() => {{
  const app = document.querySelector("[data-testid=stApp]");
  if (!app) return;
  started.disconnect();
  const root = document.documentElement.style;
  let last = root.colorScheme = theme(app);
  new MutationObserver(() => {{
    if (theme(app) === last) return;
    last = root.colorScheme = theme(app);
    press("{THEME_BUTTON}");
  }}).observe(app, {{attributeFilter: ["class"]}});
}});
started.observe(document, {{childList: true, subtree: true}});
"""


@lru_cache(maxsize=4)
def index(language: str) -> str:
    """The page in ``language``. ValueError when Streamlit's page is not the one this was written for."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    for old, new in (
        ('<html lang="en">', f'<html lang="{tag(language)}">'),
        ("<title>Streamlit</title>", f'<title>{text(language, "app.name")}</title><script src="{START}"></script>'),
        ('href="./favicon.png"', f'href="data:image/svg+xml,{icon()}"'),
        # Points at the agent API, which is off and behind the gate.
        ('<link rel="service-desc" href="./_stcore/agent/openapi.json" />', ""),
    ):
        if page.count(old) != 1:
            raise ValueError(f"Streamlit's index.html no longer holds {old!r} once")
        page = page.replace(old, new)
    links = "".join(f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in first_chunks())
    return page.replace("</head>", f"{links}</head>")


@lru_cache(maxsize=2)
def entry(kind: Literal["script", "style"]) -> str:
    """The path of the file of Streamlit's front end that loads all others. ValueError when there is not one."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    found = re.findall(_ENTRIES[kind], page)
    if len(found) != 1:
        raise ValueError(f"Streamlit's index.html no longer loads one {kind}")
    return str(found[0])


@lru_cache(maxsize=1)
def first_chunks() -> tuple[str, ...]:
    """The names of the files that the first pages need beside those every page does. ValueError when one is missing."""
    folder = Path(st.__file__).parent / "static" / "static" / "js"
    found = {name: [path.name for path in folder.glob(f"{name}.*.js")] for name in _FIRST}
    if missing := [name for name, files in found.items() if len(files) != 1]:
        raise ValueError(f"Streamlit no longer has one file each for {missing}")
    return tuple(files[0] for files in found.values())
