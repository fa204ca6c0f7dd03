"""What an import did: counts, the money bridge and the quarantine file."""

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from data_access import private
from data_access.errors import Problem
from data_access.importing.loading import TableCount


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the money bridge from read to loaded; amount in the mapping's currency.

    key, named: of rows left out for what one of their columns holds: what is wrong (empty, long, early, future or a
    column's type) and what a sentence about it names: column, value (the first one that was found), form (of times).
    """

    label: str
    amount: Decimal
    rows: int | None = None  # rows of the files; none for a step that is counted in money only
    key: str = ""
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import read, loaded and left out. Rows are rows of the files, amounts in ``currency``.

    read = loaded + quarantined + repeated, in rows and in money. ``loaded`` lists the kinds of loaded
    amounts (sales plus, returns minus), ``quarantined`` the reasons. ``tables`` counts canonical rows.
    """

    mapping: str
    source_id: str
    currency: str
    read: Step
    loaded: tuple[Step, ...]
    loaded_rows: int
    repeated: Step
    quarantined: tuple[Step, ...]
    tables: tuple[TableCount, ...]
    quarantine_file: Path | None
    seconds: float

    @property
    def loaded_amount(self) -> Decimal:
        return sum((step.amount for step in self.loaded), Decimal(0))

    @property
    def quarantined_rows(self) -> int:
        return sum(step.rows or 0 for step in self.quarantined)

    @property
    def quarantined_amount(self) -> Decimal:
        return sum((step.amount for step in self.quarantined), Decimal(0))

    @property
    def difference(self) -> Decimal:
        """Read minus everything accounted for: zero."""
        return self.read.amount - self.loaded_amount - self.repeated.amount - self.quarantined_amount

    def text(self) -> str:
        """The report for a terminal."""
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The report for a terminal, line by line."""
        lines = [f"{self.mapping}: {self.read.rows:,} rows read in {self.seconds:.1f} s", ""]
        lines += [f"{'amount in ' + self.currency:<52}{'rows':>12}{'amount':>20}", _line(self.read)]
        lines += [_line(step, indent=2) for step in self.loaded]
        lines.append(_line(Step("loaded", self.loaded_amount, self.loaded_rows)))
        if self.repeated.rows:
            lines.append(_line(self.repeated))
        lines.append(_line(Step("quarantined", self.quarantined_amount, self.quarantined_rows)))
        lines += [_line(step, indent=2) for step in self.quarantined]
        lines += [_line(Step("difference", self.difference)), ""]
        lines.append(f"{'table':<28}{'inserted':>12}{'changed':>12}{'unchanged':>12}")
        lines += [f"{t.table:<28}{t.inserted:>12,}{t.changed:>12,}{t.unchanged:>12,}" for t in self.tables]
        if self.quarantine_file is not None:
            lines += ["", f"quarantined rows: {self.quarantine_file}"]
        return lines

    def details(self, files: Sequence[dict[str, Any]]) -> str:
        """The report as JSON, for ``data_source.details``."""
        return json.dumps(
            {
                "files": list(files),
                "bridge": {
                    "read": _plain(self.read),
                    "loaded": [_plain(step) for step in self.loaded],
                    "repeated": _plain(self.repeated),
                    "quarantined": [_plain(step) for step in self.quarantined],
                    "difference": str(self.difference),
                },
            },
            ensure_ascii=False,
        )


def _line(step: Step, indent: int = 0) -> str:
    rows = "" if step.rows is None else f"{step.rows:,}"
    label = " " * indent + step.label
    return f"{label if len(label) <= 51 else label[:50] + '…':<52}{rows:>12}{step.amount:>20,.2f}"


def _plain(step: Step) -> dict[str, Any]:
    return {"label": step.label, "amount": str(step.amount), "rows": step.rows}


def reasons(rows: Sequence[dict[str, Any]]) -> tuple[Step, ...]:
    """Quarantined rows counted by reason, most frequent first."""
    counts: dict[str, tuple[int, Decimal]] = {}
    first: dict[str, dict[str, Any]] = {}
    for row in rows:
        first.setdefault(row["reason"], row)
        count, amount = counts.get(row["reason"], (0, Decimal(0)))
        counts[row["reason"]] = (count + 1, amount + (row["amount"] or 0))
    ranked = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(
        Step(reason, amount, count, first[reason]["key"] or "", _named(first[reason]))
        for reason, (count, amount) in ranked
    )


def _named(row: dict[str, Any]) -> dict[str, str]:
    known = {"column": row["header"], "value": row["value"], "form": row["form"]}
    return {name: value for name, value in known.items() if value is not None}


def write_quarantine(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes the quarantined rows as csv, readable by its owner only: they may hold personal data.

    Columns: reason, file, line, input, amount, content (the row as JSON, so that no spreadsheet takes a
    value for a formula).
    """
    try:
        private.folder(path.parent)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["reason", "file", "line", "input", "amount", "content"])
            for row in rows:
                content = json.dumps(row["content"], ensure_ascii=False)
                amount = "" if row["amount"] is None else row["amount"]
                reason = row["reason"] if row["value"] is None else f"{row['reason']}: {row['value']}"
                writer.writerow([reason, row["file"], row["line"], row["input"], amount, content])
    except OSError as error:
        raise Problem(f"the quarantine file {path} cannot be written: {error.strerror}; nothing is imported") from error
