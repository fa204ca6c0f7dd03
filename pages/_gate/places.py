"""What the sign-in page of the demo chain offers: its stores and regions; and names no password may consist of."""

from collections import OrderedDict
from dataclasses import dataclass

from data_access.errors import Problem
from data_access.queries import places, staff
from data_access.scope import Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot, current_snapshot
from data_access.state.accounts import Role
from data_access.state.sessions import Visitor
from data_access.texts import translations
from pages._ui.i18n import LANGUAGES, text


@dataclass(frozen=True)
class Entries:
    """Stores by region, regions and people of the staff that somebody can enter as, and the names in English."""

    stores: dict[str, tuple[tuple[str, str], ...]]  # region id -> its stores, each as (id, name)
    regions: tuple[tuple[str, str], ...]
    english: dict[str, str]  # name in the data -> English name
    staff: dict[str, tuple[str, ...]]  # store id -> who works there, by id

    def name(self, name: str, language: str) -> str:
        """A store's or region's name in a language; as in the data where there is no translation."""
        return self.english.get(name, name) if language == "en" else name

    def visitor(self, role: str, home: str) -> Visitor | None:
        """Whom a form asks to be; None when there is no such entry."""
        homes: dict[Role, set[str]] = {
            "manager": {store_id for stores in self.stores.values() for store_id, _ in stores},
            "regional": {region_id for region_id, _ in self.regions},
            "marketing": {""},
            "administrator": {""},
            "staff": {staff_id for people in self.staff.values() for staff_id in people},
        }
        for known, allowed in homes.items():
            if known == role and home in allowed:
                return Visitor(known, home)
        return None


_SELLING = ("shop", "online")
_KEPT = 2
_read: OrderedDict[str, Entries] = OrderedDict()


def entries(snapshot: Snapshot) -> Entries:
    """The entries of this snapshot: stores that are open, by region. Read once per generation."""
    key = f"{snapshot.engine.url} {snapshot.generation}"
    if key not in _read:
        _read[key] = _entries(snapshot)
        while len(_read) > _KEPT:
            _read.popitem(last=False)
    return _read[key]


def _entries(snapshot: Snapshot) -> Entries:
    frame = places.stores(Scope("chain"), snapshot.engine)
    # A warehouse has no manager who reads sales, a closed store has none at all, and a store that only receipts
    # mention is an error in the data.
    frame = frame[frame["closed_on"].isna() & frame["kind"].isin(_SELLING)]
    frame = frame.sort_values("kind", key=lambda kinds: kinds.map(_SELLING.index), kind="stable")
    regions = dict(zip(frame["region_id"], frame["region"], strict=True))
    stores = {
        str(region_id): tuple(zip(part["store_id"], part["store"], strict=True))
        for region_id, part in frame.groupby("region_id", sort=False)
    }
    english = translations(snapshot.engine, "en")
    people = staff.people(Scope("stores", tuple(frame["store_id"])), snapshot.engine)
    people = people[people["left_on"].isna()]
    at_work = {str(store_id): tuple(part["staff_id"]) for store_id, part in people.groupby("store_id")}
    names = {**english.get("region.name", {}), **english.get("store.name", {})}
    return Entries(stores, tuple(regions.items()), names, at_work)


def guessable() -> tuple[str, ...]:
    """Names that are easy to guess here: of the app, the stores and the regions, in every language."""
    try:
        known = entries(current_snapshot(settings().home))
    except Problem:  # no data yet, so no stores to be called after
        known = Entries({}, (), {}, {})
    names = {name for stores in known.stores.values() for _, name in stores} | {name for _, name in known.regions}
    apps = {text(language, "app.name") for language in LANGUAGES}
    return tuple(sorted(names | set(known.english.values()) | apps))
