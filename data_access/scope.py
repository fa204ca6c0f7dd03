"""What one signed-in person may see, and over which days. Every query takes a scope; there is no default."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, false


@dataclass(frozen=True, slots=True)
class Scope:
    """Row-level permission.

    The whole chain must be said (``kind="chain"``): a forgotten value never widens. No stores means no
    rows at all, never all rows.
    """

    kind: Literal["chain", "stores"]
    store_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in ("chain", "stores"):
            raise ValueError(f"a scope is 'chain' or 'stores', not {self.kind!r}")
        if self.kind == "chain" and self.store_ids:
            raise ValueError("a chain scope lists no stores")
        object.__setattr__(self, "store_ids", tuple(sorted(set(self.store_ids))))

    def limit(self, query: Select[Any], store_column: ColumnElement[Any]) -> Select[Any]:
        """``query`` with only the rows whose ``store_column`` is in scope."""
        if self.kind == "chain":
            return query
        if not self.store_ids:
            return query.where(false())
        return query.where(store_column.in_(self.store_ids))

    def allows(self, store_id: str) -> bool:
        return self.kind == "chain" or store_id in self.store_ids

    def narrow(self, store_ids: Iterable[str]) -> "Scope":
        """The part of this scope that lies in ``store_ids``; never wider than this scope."""
        return Scope("stores", tuple(s for s in store_ids if self.allows(s)))


# For facts about the file itself, which name no store: whoever asks sees nobody's rows.
NOBODY = Scope("stores")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole store-local days, both ends included.

    year_back: how many days before its own the days of last year lie that it is compared with; None: those with the
        same date. A festival by the moon lies elsewhere in each year, so its days have a distance of their own.
    """

    first: date
    last: date
    year_back: int | None = None

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise ValueError(f"a period ends on or after its first day: {self.first} is after {self.last}")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """The equally long period that ends the day before this one begins."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def last_year(self) -> "Period":
        """The days of last year to compare with: the same dates (29 February becomes 28 February), or the same days
        of the festival that ``year_back`` goes by."""
        if self.year_back is None:
            return Period(_year_earlier(self.first), _year_earlier(self.last))
        return Period(self.first - timedelta(days=self.year_back), self.last - timedelta(days=self.year_back))


def _year_earlier(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)
