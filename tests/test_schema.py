"""The canonical CRM is whole: every table says its grain, every reference leads somewhere, no person is unmarked."""

import pytest
from sqlalchemy import Table

from data_access.schema import crm, pii_columns, sensitive_columns

TABLES = [pytest.param(t, id=t.name) for t in crm.sorted_tables]


def test_the_schema_has_58_tables() -> None:
    assert len(crm.tables) == 58


@pytest.mark.parametrize("table", TABLES)
def test_a_table_says_its_grain_has_a_key_and_knows_when_it_changed(table: Table) -> None:
    assert table.info["grain"]
    assert list(table.primary_key)
    assert table.c.keys()[-1] == "updated_at"


@pytest.mark.parametrize("table", TABLES)
def test_references_lead_to_a_key(table: Table) -> None:
    for column in table.c:
        target = column.info.get("references")
        if target:
            name, key = target.split(".")
            assert crm.tables[name].c[key].primary_key, f"{table.name}.{column.name}"


def test_what_identifies_a_person_is_marked() -> None:
    assert {f"{c.table.name}.{c.name}" for c in pii_columns()} == {
        "staff.name",
        "customer.name",
        "customer.phone",
        "customer.email",
        "customer.birthday",
        "customer_identity.external_id",
    }


def test_what_needs_its_own_consent_is_marked() -> None:
    assert {f"{c.table.name}.{c.name}" for c in sensitive_columns()} == {
        "customer.skin_type",
        "customer.skin_concern",
        "ticket.text",
        "survey_answer.text",
        "trial_feedback.text",
    }


@pytest.mark.parametrize("table", TABLES)
def test_keys_and_indexes_fit_into_what_mariadb_allows(table: Table) -> None:
    keys = [list(table.primary_key), *(list(index.columns) for index in table.indexes)]
    for columns in keys:
        lengths = [getattr(c.type, "length", None) or 8 for c in columns]
        assert sum(4 * length for length in lengths) <= 3072, [c.name for c in columns]
