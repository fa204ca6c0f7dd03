"""Real accounts of the marked chain, who sign in with password and code as anybody does; and what a forger reveals."""

import base64
import re

from streamlit.proto.WidgetStates_pb2 import WidgetState

from data_access.freshness import utc_now
from data_access.state import accounts, totp
from data_access.state.accounts import Account, Rights, Role
from data_access.state.store import opened
from tests.canary.browser import Browser, Run, Widget, set_to
from tests.canary.chain import Chain

PASSWORD = "seven otters polish a crooked lighthouse"
# Who may reveal and who may take customers away; of the roles that see contacts one without the former, too.
_RIGHTS: dict[str, tuple[bool, bool]] = {
    "manager": (True, True),
    "regional": (False, True),
    "marketing": (False, True),
    "administrator": (False, False),
    "staff": (False, False),
}


def account(chain: Chain, role: Role) -> tuple[Account, tuple[str, ...]]:
    """An account with a second factor, and its recovery codes."""
    may_reveal, may_export = _RIGHTS[role]
    home = chain.ids["S1"]
    rights = Rights(
        role,
        (home.store,) if role == "manager" else (),
        (home.region,) if role == "regional" else (),
        may_reveal=may_reveal,
        may_export=may_export,
        staff_id=home.staff if role == "staff" else "",
    )
    now = utc_now()
    made = accounts.create(
        opened(), "terminal:canary", f"an-{role}", role.title(), rights, PASSWORD, now, initial=False
    )
    offered = totp.enrol(opened(), made.account_id, now)
    key = base64.b32decode(offered.key.replace(" ", ""))
    return made, totp.confirm(opened(), made.account_id, totp.code_at(key, totp.step_at(now)), now)


async def sign_in(browser: Browser, known: Account, code: str) -> None:
    """Password, then code, at the page for it; the browser keeps the cookie."""
    _, _, page = await browser.post("/sign-in", {"name": known.sign_in_name, "password": PASSWORD})
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.decode())
    if ticket is None:
        raise PermissionError("the password opens nothing")
    _, headers, _ = await browser.post("/sign-in", {"ticket": ticket[1], "code": code})
    browser.cookie = headers["set-cookie"].partition(";")[0]


# What a forger sends where the page offers name, phone and e-mail, and reasons.
FORGED_FIELDS = ("birthday", "customer_id", "phone; --", "")
PHONE, ORDER = 1, 0  # of the options that the page offers


def asking(run: Run, *, field: str | None = None, reason: str | None = None, note: str = "") -> list[WidgetState]:
    """The form of a page that shows a masked contact, filled in and sent; empty where the page has none.

    field and reason: what is sent instead of what the page offers.
    """
    form = {key: keyed(run, f"contact_{key}") for key in ("field", "reason", "note", "reveal")}
    if None in form.values():
        return []
    values = {
        "field": form["field"].options[PHONE] if field is None else field,
        "reason": form["reason"].options[ORDER] if reason is None else reason,
        "note": note,
    }
    sent = [set_to(form[key], value) for key, value in values.items()]
    return [state for state in (*sent, WidgetState(id=form["reveal"].id, trigger_value=True)) if state is not None]


def keyed(run: Run, key: str) -> Widget | None:
    """The widget of a page that its code calls ``key``."""
    return next((widget for widget in run.widgets if widget.id.endswith(f"-{key}")), None)
