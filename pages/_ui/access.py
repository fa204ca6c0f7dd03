"""Which role may open which page, and how much of it. The only such table; unknown pages are open to nobody."""

from dataclasses import dataclass
from typing import Literal

from pages._gate.identity import Role

Detail = Literal["full", "masked", "aggregates"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: where it is, what stands beside its name, and what each role sees of it.

    key: file name in ``pages`` and path in the URL.
    detail: full (all that the scope holds), masked (rows with masked customers), aggregates (no rows of
        single customers or orders). A role that is not listed cannot open the page.
    listed: whether the navigation names it; the others open by a drill or their URL.
    """

    key: str
    section: str
    icon: str
    detail: dict[Role, Detail]
    listed: bool = True


_EVERYBODY: dict[Role, Detail] = {
    "manager": "full",
    "regional": "full",
    "marketing": "full",
    "administrator": "full",
}
# What figures mean, for everybody; and what somebody of the staff sees of themselves.
_READERS: dict[Role, Detail] = {**_EVERYBODY, "staff": "full"}
_ONESELF: dict[Role, Detail] = {"staff": "full"}
# The state of the data in sums; rows that were refused carry the CRM's own keys, for administrators only.
_HEALTH: dict[Role, Detail] = {
    "manager": "aggregates",
    "regional": "aggregates",
    "marketing": "aggregates",
    "administrator": "full",
}
_TRADE: dict[Role, Detail] = {"manager": "full", "regional": "full", "marketing": "aggregates"}
_CUSTOMERS: dict[Role, Detail] = {"manager": "masked", "regional": "masked", "marketing": "masked"}

# What single colleagues sell is for who leads them.
_PEOPLE: dict[Role, Detail] = {"manager": "full", "regional": "full"}

# Rows of shelves and orders to suppliers: no business of whoever plans campaigns for the chain.
_SUPPLY: dict[Role, Detail] = {"manager": "full", "regional": "full"}

# Whom a campaign of the chain reaches and leaves out, and what is spent on which: decided by those who plan them.
_BUILDERS: dict[Role, Detail] = {"marketing": "masked"}

# What the programme brings is everybody's; an administrator enters what it costs and sees no trade.
_SCORES: dict[Role, Detail] = {
    "manager": "aggregates",
    "regional": "aggregates",
    "marketing": "aggregates",
    "administrator": "aggregates",
}

_KEEPERS: dict[Role, Detail] = {"administrator": "full"}

PAGES: tuple[Page, ...] = (
    Page("mine", "today", ":material/badge:", _ONESELF),
    Page("overview", "today", ":material/space_dashboard:", _TRADE),
    Page("tasks", "today", ":material/checklist:", _CUSTOMERS),
    Page("alerts", "today", ":material/notifications_active:", _TRADE),
    Page("segments", "customers", ":material/groups:", _CUSTOMERS),
    Page("customer", "customers", ":material/person:", _CUSTOMERS, listed=False),
    Page("run_out", "customers", ":material/hourglass_bottom:", _CUSTOMERS),
    Page("retention", "customers", ":material/autorenew:", _CUSTOMERS),
    Page("lapse", "customers", ":material/person_off:", _CUSTOMERS),
    Page("spending", "customers", ":material/sell:", _CUSTOMERS),
    Page("value", "customers", ":material/diamond:", _CUSTOMERS),
    Page("campaigns", "marketing", ":material/campaign:", _TRADE),
    Page("campaign", "marketing", ":material/fact_check:", _TRADE, listed=False),
    Page("funnel", "marketing", ":material/filter_alt:", _CUSTOMERS),
    Page("attribution", "marketing", ":material/hub:", _CUSTOMERS),
    Page("audiences", "marketing", ":material/group_add:", _BUILDERS),
    Page("allocation", "marketing", ":material/balance:", _BUILDERS),
    Page("audience", "marketing", ":material/group:", _BUILDERS, listed=False),
    Page("stores", "stores", ":material/leaderboard:", _TRADE),
    Page("store", "stores", ":material/storefront:", _TRADE),
    Page("why", "stores", ":material/compare_arrows:", _TRADE),
    Page("staff", "stores", ":material/badge:", _PEOPLE),
    Page("staff_member", "stores", ":material/id_card:", _PEOPLE, listed=False),
    Page("targets", "stores", ":material/flag:", _PEOPLE),
    Page("readiness", "stores", ":material/event_available:", _PEOPLE),
    Page("training", "stores", ":material/school:", _PEOPLE),
    Page("demand", "supply", ":material/trending_up:", _TRADE),
    Page("product_demand", "supply", ":material/trending_up:", _TRADE, listed=False),
    Page("stock", "supply", ":material/shelves:", _SUPPLY),
    Page("suppliers", "supply", ":material/local_shipping:", _SUPPLY),
    Page("category", "range", ":material/category:", _TRADE, listed=False),
    Page("product", "range", ":material/inventory_2:", _TRADE, listed=False),
    Page("lot", "range", ":material/qr_code:", _CUSTOMERS, listed=False),
    # Rows of single orders: marketing works with aggregates.
    Page("order", "range", ":material/receipt_long:", {"manager": "masked", "regional": "masked"}, listed=False),
    Page("data_health", "governance", ":material/health_and_safety:", _HEALTH),
    Page("scorecard", "governance", ":material/scoreboard:", _SCORES),
    Page("start", "governance", ":material/database_upload:", _KEEPERS),
    Page("digests", "governance", ":material/mark_email_unread:", _EVERYBODY),
    Page("privacy", "governance", ":material/shield_person:", _KEEPERS),
    Page("accounts", "governance", ":material/manage_accounts:", _KEEPERS),
    Page("audit", "governance", ":material/policy:", _KEEPERS),
    Page("glossary", "governance", ":material/menu_book:", _READERS),
)
BY_KEY: dict[str, Page] = {page.key: page for page in PAGES}
SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(page.section for page in PAGES))


def may_open(role: Role, key: str) -> bool:
    """Whether ``role`` may open the page ``key``."""
    return detail(role, key) is not None


def detail(role: Role, key: str) -> Detail | None:
    """How much of the page ``key`` a role sees; None: nothing, and the page does not exist for it."""
    page = BY_KEY.get(key)
    return page.detail.get(role) if page else None


def first_page(role: Role) -> str:
    """The page a role lands on."""
    return next(page.key for page in PAGES if page.listed and role in page.detail)
