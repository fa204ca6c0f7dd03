"""A mapping: a short TOML file (or JSON) that says how the columns of a known export become canonical tables.

``data_access/mappings/template.toml`` shows every setting with its meaning.
"""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data_access.errors import Problem
from data_access.schema import crm

SHIPPED = Path(__file__).resolve().parents[1] / "mappings"

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
ColumnType = Literal["id", "number_id", "text", "note", "integer", "decimal", "date", "instant", "flag", "currency"]

_FORMATS = {"date": ("%Y-%m-%d",), "instant": ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceColumn(_Part):
    """One column of a file: the header(s) it may have, and what its values must be."""

    headers: tuple[str, ...] = Field(alias="from", min_length=1)
    type: ColumnType = "text"
    may_be_empty: bool = False
    may_be_absent: bool = False
    formats: tuple[str, ...] = ()
    future: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """``name = "Header"`` is a text that may be empty; ``from = "Header"`` is one header."""
        if isinstance(value, str):
            return {"from": (value,), "may_be_empty": True}
        if isinstance(value, dict) and isinstance(value.get("from"), str):
            return {**value, "from": (value["from"],)}
        return value

    @model_validator(mode="after")
    def _formats_belong_to_dates(self) -> "SourceColumn":
        if self.formats and self.type not in _FORMATS:
            raise ValueError(f"formats are for dates and instants, not for {self.type}")
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        """The forms a date of this column may have."""
        return self.formats or _FORMATS.get(self.type, ())


class Refusal(_Part):
    """A condition on a row that sends it to quarantine."""

    when: str
    reason: str


class Input(_Part):
    """One kind of file the mapping reads; a file belongs to it when it has its columns."""

    about: str = ""
    files: str = "*"
    optional: bool = False
    columns: dict[Identifier, SourceColumn] = Field(min_length=1)
    derived: dict[Identifier, str] = Field(default_factory=dict)
    belongs_to: Identifier | None = None
    amount: str | None = None
    refuse: tuple[Refusal, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> "Input":
        if self.belongs_to is not None and self.belongs_to not in {*self.columns, *self.derived}:
            raise ValueError(f"belongs_to names {self.belongs_to}, which is none of its columns")
        if both := sorted(set(self.columns) & set(self.derived)):
            raise ValueError(f"{', '.join(both)} cannot be both a column and derived")
        return self

    def missing(self, headers: list[str]) -> list[str]:
        """The needed columns that a file with ``headers`` lacks, by the first header each may have."""
        present = set(headers)
        return [c.headers[0] for c in self.columns.values() if not c.may_be_absent and present.isdisjoint(c.headers)]

    @property
    def needed(self) -> int:
        return sum(not c.may_be_absent for c in self.columns.values())


class Target(_Part):
    """How one canonical table is filled: columns of one input, or a SELECT over the inputs."""

    name: str
    select: str | None = None
    source: Identifier | None = Field(default=None, alias="from")
    columns: dict[Identifier, str] = Field(default_factory=dict)
    number: str | None = None
    if_absent: bool = False
    keep: dict[str, Literal["earliest", "latest"]] = Field(default_factory=dict)
    amount: str | None = None
    label: str | None = None

    @field_validator("name")
    @classmethod
    def _is_canonical(cls, name: str) -> str:
        if name not in crm.tables or name == "data_source":
            raise ValueError(f"there is no canonical table {name!r} to fill")
        return name

    @model_validator(mode="after")
    def _is_whole(self) -> "Target":
        if (self.select is None) == (self.source is None):
            raise ValueError(f"table {self.name} needs either select, or from and columns")
        if self.source is not None and not self.columns:
            raise ValueError(f"table {self.name} takes no columns from {self.source}")
        table = crm.tables[self.name]
        keys = [column.name for column in table.primary_key]
        if self.number is not None and (self.number not in keys or len(keys) < 2):
            raise ValueError(f"number of table {self.name} must name the last part of its key {', '.join(keys)}")
        unknown = sorted({*self.columns, *self.keep} - set(table.columns.keys()))
        if unknown:
            raise ValueError(f"table {self.name} has no column {', '.join(unknown)}")
        return self

    @property
    def query(self) -> str:
        """The SELECT; taken from plain columns it also says which row of the file each row comes from."""
        if self.select is not None:
            return self.select.strip().rstrip(";")
        columns = ", ".join(f'{expression} AS "{name}"' for name, expression in self.columns.items())
        return f'SELECT {columns}, _row FROM "{self.source}"'


class Mapping(_Part):
    """From the files of one kind of export to the canonical tables."""

    name: Identifier
    title: str
    time_zone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal_mark: Literal[".", ","] = "."
    inputs: dict[Identifier, Input] = Field(min_length=1)
    tables: tuple[Target, ...] = Field(min_length=1)

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"there is no time zone {name!r}; use a name such as Asia/Shanghai")
        return ZoneInfo(name).key

    @field_validator("encoding")
    @classmethod
    def _is_encoding(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(f"there is no text encoding {name!r}; use utf-8 or gb18030") from None
        return name

    @model_validator(mode="after")
    def _sources_exist(self) -> "Mapping":
        for target in self.tables:
            if target.source is not None and target.source not in self.inputs:
                raise ValueError(f"table {target.name} reads {target.source!r}, which is none of the inputs")
        return self


def load_mapping(mapping: str | Path) -> Mapping:
    """The mapping of that name among the shipped ones, or in that TOML or JSON file.

    Raises:
        Problem: there is no such mapping, or it does not say what a mapping must say.
    """
    path = SHIPPED / f"{mapping}.toml"
    if not path.is_file() or Path(mapping).name != str(mapping):
        path = Path(mapping)
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in SHIPPED.glob("*.toml") if p.stem != "template"))
        raise Problem(f"there is no mapping {str(mapping)!r}: name one of {names}, or the path of a mapping file")
    try:
        readable = json.loads if path.suffix == ".json" else tomllib.loads
        return Mapping.model_validate(readable(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise Problem(f"the mapping {path.name} is not readable TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        what = first["msg"].removeprefix("Value error, ")
        raise Problem(f"the mapping {path.name} is wrong at {where}: {what}") from error
