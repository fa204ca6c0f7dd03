"""Staging: the rows of all files in an in-memory DuckDB, parsed by type, each bad row with its reason.

Per input there is a view of that name with the rows that passed. Beside the mapping's columns every row has
``_row`` (its number over all files), ``_key`` (its content and which occurrence of it this is) and
``_amount``. Nothing is written to the CRM here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatch
from typing import Any

import duckdb
import pyarrow as pa

from data_access.errors import Problem
from data_access.importing.mapping import Input, Mapping, SourceColumn
from data_access.importing.reading import Part

_LENGTHS = {"id": 64, "number_id": 64, "text": 200, "note": 10_000}
_TYPES = {"integer": "BIGINT", "decimal": "DECIMAL(18, 4)", "date": "DATE", "instant": "TIMESTAMP", "flag": "BOOLEAN"}
_TYPED_DATES = ("%Y-%m-%dT%H:%M:%S",)
_AS_IN = datetime(2026, 11, 20, 18, 40)  # an example of how times are written
_YES, _NO = ("1", "true", "yes", "y", "t", "是"), ("0", "false", "no", "n", "f", "否")


def text(value: str) -> str:
    """``value`` as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def name(value: str) -> str:
    """``value`` as an SQL identifier."""
    return '"' + value.replace('"', '""') + '"'


def match(mapping: Mapping, parts: Sequence[Part]) -> dict[str, list[Part]]:
    """Which parts belong to which input, by their columns; the order of the files does not matter.

    A part that fits several inputs belongs to the one whose name pattern it has, then to the one that needs
    the most columns.
    """
    found: dict[str, list[Part]] = {key: [] for key in mapping.inputs}
    unused: list[Part] = []
    for part in parts:
        fits = [key for key, one in mapping.inputs.items() if not one.missing(part.headers)]
        named = [key for key in fits if fnmatch(part.path.name.lower(), mapping.inputs[key].files.lower())]
        fits = named or []
        if not fits:
            unused.append(part)
            continue
        most = max(mapping.inputs[key].needed for key in fits)
        best = [key for key in fits if mapping.inputs[key].needed == most]
        if len(best) > 1:
            raise Problem(
                f"{part.label} could be {' or '.join(best)} of mapping {mapping.name}: state files patterns in it"
            )
        found[best[0]].append(part)
    used = {part.path for matched in found.values() for part in matched}
    for part in unused:
        # A workbook may hold other sheets; a file of which nothing fits is a mistake.
        if part.path not in used:
            raise Problem(_fits_nothing(mapping, part))
    for key, one in mapping.inputs.items():
        if not one.optional and not found[key]:
            needed = ", ".join(c.headers[0] for c in one.columns.values() if not c.may_be_absent)
            raise Problem(f"mapping {mapping.name} needs a file for {key} with the columns {needed}: name it as well")
    return found


def _fits_nothing(mapping: Mapping, part: Part) -> str:
    missing = {key: one.missing(part.headers) for key, one in mapping.inputs.items()}
    key = min(missing, key=lambda k: (len(missing[k]), -mapping.inputs[k].needed))
    if not missing[key]:
        return f"{part.label} has the columns of {key}, but is not named {mapping.inputs[key].files!r}: rename it"
    return (
        f"{part.label} lacks the column{'s' if len(missing[key]) > 1 else ''} {', '.join(missing[key])} that mapping "
        f"{mapping.name} needs for {key}: add it, or use the mapping of this export"
    )


class Staging:
    """The staged rows of one import."""

    def __init__(self, mapping: Mapping, found: dict[str, list[Part]], now: datetime) -> None:
        self.mapping = mapping
        self.labels: list[str] = []
        self.db = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
        self.db.execute("SET python_enable_replacements = false; SET preserve_insertion_order = true")
        why = ", ".join(f"{column} VARCHAR" for column in ("reason", "value", "key", "header", "form"))
        self.db.execute(f"CREATE TABLE quarantine (_row BIGINT, {why})")
        self._next_row = 1
        for key, parts in found.items():
            self._load(key, mapping.inputs[key], parts)
        # From here on only SQL of the mapping runs: it reads the staged rows and nothing else.
        self.db.execute("SET enable_external_access = false; SET lock_configuration = true")
        for key, one in mapping.inputs.items():
            self._parse(key, one, now)
            self._find_repeats(key, one)
            self._publish(key, one)

    def run(self, sql: str, where: str) -> duckdb.DuckDBPyConnection:
        """Runs SQL that the mapping's author wrote; ``where`` says which part of the mapping it is."""
        try:
            return self.db.execute(sql)
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise Problem(f"the mapping {self.mapping.name} is wrong at {where}: {first}") from error

    def scalar(self, sql: str) -> Any:
        row = self.db.execute(sql).fetchone()
        return None if row is None else row[0]

    def close(self) -> None:
        self.db.close()

    # --- loading and parsing ----------------------------------------------------------------------

    def _load(self, key: str, one: Input, parts: Sequence[Part]) -> None:
        """The table ``raw_<input>``: every column as text, empty as NULL."""
        columns = ", ".join(f"{name(column)} VARCHAR" for column in one.columns)
        self.db.execute(f"CREATE TABLE raw_{key} (_row BIGINT, _part INTEGER, _line BIGINT, _typed BOOLEAN, {columns})")
        for part in parts:
            self.labels.append(part.label)
            count = part.rows.num_rows
            numbers = pa.array(range(self._next_row, self._next_row + count), pa.int64())
            self._next_row += count
            # Headers may be equal but for case, which DuckDB does not tell apart: number the columns.
            headers = part.headers
            frame = pa.table([numbers, part.lines, *part.rows.columns], names=["_row", "_line", *_numbered(headers)])
            self.db.register("part", frame)
            values = ", ".join(_raw_value(column, headers) for column in one.columns.values())
            self.db.execute(
                f"INSERT INTO raw_{key} SELECT _row, {len(self.labels)}, _line, {part.typed}, {values} FROM part"
            )
            self.db.unregister("part")

    def _parse(self, key: str, one: Input, now: datetime) -> None:
        """The table ``staged_<input>``: typed columns, ``_amount`` and the ``_hash`` of the content."""
        self._refuse_other_currencies(key, one)
        mark = self.mapping.decimal_mark
        values = {column: _value(spec, mark).replace("@", name(column)) for column, spec in one.columns.items()}
        parsed = ", ".join(f"{value} AS {name(column)}" for column, value in values.items())
        content = ", ".join(f"coalesce(CAST({name(column)} AS VARCHAR), chr(0))" for column in one.columns)
        amount = f"TRY_CAST({one.amount} AS DECIMAL(18, 4))" if one.amount else "CAST(NULL AS DECIMAL(18, 4))"
        derived = "".join(f"{expression} AS {name(column)}, " for column, expression in one.derived.items())
        self.run(
            f"CREATE TABLE staged_{key} AS "
            f"WITH parsed AS (SELECT _row, _part, _line, {parsed} FROM raw_{key}) "
            f"SELECT *, {derived}{amount} AS _amount, substr(md5(concat_ws(chr(31), {content})), 1, 20) AS _hash "
            "FROM parsed",
            f"inputs.{key} (derived, amount)",
        )
        tests = [_fault(column, c, now) for column, c in one.columns.items()]
        self.db.execute(
            f"INSERT INTO quarantine SELECT _row, fault.* FROM (SELECT r._row, "
            f"coalesce({', '.join(tests)}) AS fault FROM raw_{key} r JOIN staged_{key} s USING (_row)) "
            "WHERE fault IS NOT NULL"
        )
        refusals = [(refusal.when, refusal.reason) for refusal in one.refuse]
        if one.amount:
            refusals.append(("_amount IS NULL", "its amount cannot be computed"))
        for position, (when, reason) in enumerate(refusals):
            self.run(
                f"INSERT INTO quarantine (_row, reason) SELECT _row, {text(reason)} FROM staged_{key} "
                f"WHERE ({when}) AND _row NOT IN (SELECT _row FROM quarantine)",
                f"inputs.{key}.refuse.{position}",
            )

    def _refuse_other_currencies(self, key: str, one: Input) -> None:
        for column, spec in one.columns.items():
            if spec.type != "currency":
                continue
            other = self.db.execute(
                f"SELECT {name(column)}, _part, _line FROM raw_{key} "
                f"WHERE upper(trim({name(column)})) <> ? ORDER BY _row LIMIT 1",
                [self.mapping.currency],
            ).fetchone()
            if other is not None:
                raise Problem(
                    f"{self.labels[other[1] - 1]}, line {other[2]}: currency {other[0]} where mapping "
                    f"{self.mapping.name} states {self.mapping.currency}; amounts of different currencies are never "
                    "added, so import each currency into a database of its own"
                )

    # --- the same row in two files ----------------------------------------------------------------

    def _find_repeats(self, key: str, one: Input) -> None:
        """The table ``repeated_<input>``: rows that an earlier file already holds.

        Equal rows of one file are different events (two of the same article on one receipt) and all count.
        Equal rows of two files are either the same event exported twice or different events of a file cut in
        parts. Where two files meet (the same receipt in both; without ``belongs_to`` anywhere) overlapping
        exports agree in nearly every row and parts in hardly any, so more than half decides.
        """
        self.db.execute(f"CREATE TABLE repeated_{key} (_row BIGINT)")
        parts = [row[0] for row in self.db.execute(f"SELECT DISTINCT _part FROM staged_{key} ORDER BY 1").fetchall()]
        if len(parts) < 2:
            return
        place = f"CAST({name(one.belongs_to)} AS VARCHAR)" if one.belongs_to else "''"
        self.db.execute(
            f"CREATE OR REPLACE TEMP TABLE known AS SELECT {place} AS place, _hash, count(*) AS times "
            f"FROM staged_{key} WHERE _part = {parts[0]} GROUP BY ALL"
        )
        for part in parts[1:]:
            self.db.execute(
                f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT {place} AS place, _hash, count(*) AS times "
                f"FROM staged_{key} WHERE _part = {part} GROUP BY ALL"
            )
            overlaps = overlap(self.db, "known", "fresh")
            if overlaps:
                self.db.execute(
                    f"INSERT INTO repeated_{key} SELECT _row FROM (SELECT _row, _hash, row_number() OVER "
                    f"(PARTITION BY _hash ORDER BY _row) AS nth FROM staged_{key} WHERE _part = {part}) "
                    "JOIN known USING (_hash) WHERE nth <= times"
                )
            before, here = "coalesce(k.times, 0)", "coalesce(f.times, 0)"
            times = f"greatest({before}, {here})" if overlaps else f"{before} + {here}"
            self.db.execute(
                f"CREATE OR REPLACE TEMP TABLE known AS SELECT place, _hash, {times} AS times "
                "FROM known k FULL JOIN fresh f USING (place, _hash)"
            )

    def _publish(self, key: str, one: Input) -> None:
        columns = ", ".join(name(column) for column in (*one.columns, *one.derived))
        nth = "row_number() OVER (PARTITION BY _hash ORDER BY _row)"
        self.db.execute(
            f"CREATE TABLE kept_{key} AS SELECT _row, _amount, _hash || '-' || {nth} AS _key, {columns} "
            f"FROM staged_{key} WHERE _row NOT IN (SELECT _row FROM repeated_{key})"
        )
        self.db.execute(
            f"CREATE VIEW {name(key)} AS SELECT * FROM kept_{key} WHERE _row NOT IN (SELECT _row FROM quarantine)"
        )

    # --- what the report needs --------------------------------------------------------------------

    def totals(self) -> dict[str, tuple[int, Decimal]]:
        """Rows and amount: read, repeated, quarantined."""
        zero = Decimal(0)
        sums = {"read": (0, zero), "repeated": (0, zero), "quarantined": (0, zero)}
        for key in self.mapping.inputs:
            for total, condition in (
                ("read", "true"),
                ("repeated", f"_row IN (SELECT _row FROM repeated_{key})"),
                (
                    "quarantined",
                    f"_row IN (SELECT _row FROM quarantine) AND _row NOT IN (SELECT _row FROM repeated_{key})",
                ),
            ):
                row = self.db.execute(
                    f"SELECT count(*), coalesce(sum(_amount), 0) FROM staged_{key} WHERE {condition}"
                ).fetchone()
                assert row is not None
                sums[total] = (sums[total][0] + row[0], sums[total][1] + Decimal(row[1]))
        return sums

    def quarantined(self) -> list[dict[str, Any]]:
        """The quarantined rows in file order: reason, value, file, line, input, amount, content (header -> text), and
        key, header, form: what the reason is called, whose column it means and how its times ought to look.

        ``value`` is what was found where something else was expected; None where the whole row is meant.
        """
        rows: list[dict[str, Any]] = []
        for key, one in self.mapping.inputs.items():
            columns = list(one.columns)
            cursor = self.db.execute(
                f"SELECT q.*, s._part, s._line, s._amount, {', '.join('r.' + name(c) for c in columns)} "
                f"FROM staged_{key} s JOIN raw_{key} r USING (_row) "
                "JOIN (SELECT * FROM quarantine QUALIFY row_number() OVER (PARTITION BY _row ORDER BY reason) = 1) q "
                "USING (_row) "
                f"WHERE _row NOT IN (SELECT _row FROM repeated_{key}) ORDER BY _row"
            )
            for _, reason, value, called, header, form, part, line, amount, *values in cursor.fetchall():
                content = {one.columns[c].headers[0]: v for c, v in zip(columns, values, strict=True)}
                where = {"file": self.labels[part - 1], "line": line, "input": key}
                why = {"reason": reason, "value": value, "key": called, "header": header, "form": form}
                rows.append({**why, **where, "amount": amount, "content": content})
        return rows


def overlap(db: duckdb.DuckDBPyConnection, known: str, fresh: str) -> bool:
    """Whether two multisets (place, _hash, times) agree in more than half of the rows of the places both have."""
    row = db.execute(
        f"WITH shared AS (SELECT DISTINCT place FROM {known} SEMI JOIN {fresh} USING (place)) SELECT "
        f"(SELECT coalesce(sum(times), 0) FROM {known} SEMI JOIN shared USING (place)), "
        f"(SELECT coalesce(sum(times), 0) FROM {fresh} SEMI JOIN shared USING (place)), "
        f"(SELECT coalesce(sum(least(k.times, f.times)), 0) FROM {known} k JOIN {fresh} f USING (place, _hash))"
    ).fetchone()
    assert row is not None
    old, new, common = row
    return common * 2 > min(old, new)


def _numbered(headers: Sequence[str]) -> list[str]:
    return [f"c{i}" for i in range(len(headers))]


def _raw_value(column: SourceColumn, headers: Sequence[str]) -> str:
    present = [f"c{headers.index(header)}" for header in column.headers if header in headers]
    return f"nullif({present[0]}, '')" if present else "NULL"


def _value(column: SourceColumn, mark: str) -> str:
    """SQL for the typed value of raw column ``@``; NULL when it is not of the type. mark: before decimals in texts."""
    kind = _TYPES.get(column.type, "VARCHAR")
    if column.type == "id":
        return "nullif(trim(@), '')"
    if column.type == "number_id":
        # Numbers that passed through a float column come as 17850.0.
        return r"nullif(regexp_replace(trim(@), '\.0$', ''), '')"
    if column.type in {"text", "note"}:
        return "@"
    if column.type == "currency":
        return "upper(trim(@))"
    if column.type == "integer":
        return rf"CASE WHEN regexp_full_match(trim(@), '[+-]?\d{{1,15}}') THEN CAST(trim(@) AS {kind}) END"
    if column.type == "decimal":
        # Beside a decimal comma a point parts thousands, which are refused: it becomes a letter.
        raw = "trim(@)" if mark == "." else "CASE WHEN _typed THEN trim(@) ELSE translate(trim(@), ',.', '.x') END"
        # Binary floats carry noise in the 13th digit and beyond; a fifth decimal is not noise.
        wide = f"CAST({raw} AS DECIMAL(38, 12))"
        return (
            rf"CASE WHEN regexp_full_match({raw}, '[+-]?\d{{1,12}}(\.\d{{1,4}})?') THEN CAST({raw} AS {kind}) "
            rf"WHEN regexp_full_match({raw}, '[+-]?\d{{1,12}}\.\d{{5,40}}') THEN "
            f"CASE WHEN abs({wide} - round({wide}, 4)) < 0.000001 THEN CAST({wide} AS {kind}) END END"
        )
    if column.type == "flag":
        yes, no = (", ".join(text(word) for word in words) for words in (_YES, _NO))
        return f"CASE WHEN lower(trim(@)) IN ({yes}) THEN true WHEN lower(trim(@)) IN ({no}) THEN false END"
    # Programs write whole seconds with a fraction of noughts.
    raw = r"regexp_replace(trim(@), '(:\d\d)\.0+$', '\1')"
    stated = ", ".join(text(pattern) for pattern in column.patterns)
    typed = ", ".join(text(pattern) for pattern in (*_TYPED_DATES, *column.patterns))
    return (
        f"CAST(CASE WHEN _typed THEN try_strptime({raw}, [{typed}]) ELSE try_strptime({raw}, [{stated}]) END AS {kind})"
    )


def _fault(column: str, spec: SourceColumn, now: datetime) -> str:
    """SQL for what is wrong with a column of raw row ``r`` and staged row ``s``; NULL when nothing is."""
    raw, value, header = f"r.{name(column)}", f"s.{name(column)}", spec.headers[0]
    cases: list[tuple[str, str, str]] = []  # condition, reason, what it is called
    if not spec.may_be_empty and not spec.may_be_absent:
        cases.append((f"{value} IS NULL AND coalesce(trim({raw}), '') = ''", f"{header} is empty", "empty"))
    if spec.type in _LENGTHS:
        limit = _LENGTHS[spec.type]
        cases.append((f"length({value}) > {limit}", f"{header} is longer than {limit:,} characters", "long"))
    else:
        cases.append((f"{value} IS NULL AND trim({raw}) <> ''", f"{header} is not {_expected(spec)}", spec.type))
    if spec.type in {"date", "instant"}:
        earliest = "1900-01-01" if spec.type == "date" else "1970-01-01"
        cases.append((f"{value} < TIMESTAMP '{earliest}'", f"{header} lies before {earliest}", "early"))
    if spec.type == "instant" and not spec.future:
        # A day of grace: the file's clock and zone are not ours.
        latest = (now + timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
        cases.append((f"{value} > TIMESTAMP '{latest}'", f"{header} lies in the future", "future"))
    form = text(_AS_IN.strftime(spec.patterns[0])) if spec.patterns else "NULL"
    branches = " ".join(
        f"WHEN {condition} THEN {{'reason': {text(reason)}, 'value': left({raw}, 60), 'key': {text(called)}, "
        f"'header': {text(header)}, 'form': {form}}}"
        for condition, reason, called in cases
    )
    return f"CASE {branches} END"


def _expected(spec: SourceColumn) -> str:
    forms = " or ".join(spec.patterns)
    return {
        "integer": "a whole number",
        "decimal": "a number with at most 4 decimals",
        "flag": "yes or no",
        "currency": "a currency",
        "date": f"a day of the form {forms}",
        "instant": f"a time of the form {forms}",
    }[spec.type]
