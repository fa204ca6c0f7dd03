"""Mappings: what a short TOML file can say, and the sentence for each thing it says wrong."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from data_access.errors import Problem
from data_access.importing.mapping import SHIPPED, load_mapping
from data_access.schema import crm, product
from tests.import_kit import Load, mapping_file, quarantined, rows, write


def test_plain_columns_are_enough_for_a_mapping(import_database: Engine, load: Load, tmp_path: Path) -> None:
    report = load("id,name,more\n001,A,x\n002,,x\n001,A,x\n001,Z,x\n", mapping=mapping_file(tmp_path))
    assert rows(import_database, product.c.product_id, product.c.name) == [("001", "A")]
    assert [(row["line"], row["reason"]) for row in quarantined(report)] == [
        ("3", "product.name is empty"),
        ("5", "product: repeats the product_id of an earlier row"),
    ]


def test_an_input_may_have_the_name_of_an_sql_word_and_a_select_may_end_in_a_comment(
    import_database: Engine, load: Load, tmp_path: Path
) -> None:
    tables = """
    [[tables]]
    name = "product"
    from = "order"
    columns = { product_id = "id", name = "'by columns'" }
    [[tables]]
    name = "product"
    select = '''SELECT id || 'b' AS product_id, 'by select' AS name FROM "order" -- the same rows again'''
    """
    text = mapping_file(tmp_path, tables=tables).read_text().replace("[inputs.one", "[inputs.order")
    load("id,name\n1,A\n", mapping=write(tmp_path / "words.toml", text))
    assert rows(import_database, product.c.product_id, product.c.name) == [("1", "by columns"), ("1b", "by select")]


def test_another_encoding_and_separator_can_be_stated(import_database: Engine, load: Load, tmp_path: Path) -> None:
    path = write(tmp_path / "gb.csv", "id;name\n1;面霜\n".encode("gb18030"))
    load(path, mapping=mapping_file(tmp_path, encoding="gb18030", delimiter=";"))
    assert rows(import_database, product.c.name) == [("面霜",)]


def test_decimals_after_a_comma_are_read_where_the_mapping_says_so(load: Load, tmp_path: Path) -> None:
    mapping = mapping_file(tmp_path, 'price = { from = ["price"], type = "decimal" }', delimiter=";", decimal_mark=",")
    report = load("id;name;price\n1;A;12,5\n2;B;1.234,50\n3;C;7\n", mapping=mapping)
    assert [(row["line"], row["reason"]) for row in quarantined(report)] == [
        ("3", "price is not a number with at most 4 decimals: 1.234,50")
    ]


@pytest.mark.parametrize(
    ("settings_", "columns", "tables", "sentence"),
    [
        ({"time_zone": "Shanghai"}, "", "", "wrong at time_zone: there is no time zone 'Shanghai'"),
        ({"currency": "yuan"}, "", "", "wrong at currency"),
        ({"encoding": "utf-9"}, "", "", "no text encoding 'utf-9'"),
        ({"colour": "red"}, "", "", "wrong at colour"),
        ({}, 'x = { from = ["x"], type = "number" }', "", "wrong at inputs.one.columns.x.type"),
        ({}, 'x = { from = ["x"], formats = ["%Y"] }', "", "formats are for dates"),
        ({}, "", '[[tables]]\nname = "salez"\nselect = "SELECT 1"', "no canonical table 'salez'"),
        ({}, "", '[[tables]]\nname = "product"', "needs either select, or from and columns"),
        ({}, "", '[[tables]]\nname = "product"\nfrom = "two"\ncolumns = { name = "name" }', "none of the inputs"),
        ({}, "", '[[tables]]\nname = "product"\nfrom = "one"\ncolumns = { nam = "name" }', "has no column nam"),
        ({}, "", '[[tables]]\nname = "product"\nselect = "SELECT id AS product_id FROM one"', "it leaves out name"),
        ({}, "", '[[tables]]\nname = "product"\nselect = "SELECT wrong FROM one"', "tables.0 (product): Binder Error"),
        ({}, "", "[[tables]]\nname = \"product\"\nselect = \"SELECT * FROM '/etc/passwd'\"", "tables.0 (product)"),
        ({}, "", '[[tables]]\nname = "product"\nselect = "SELECT id AS product_id, 1 AS x FROM one"', "no column x"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_explained_in_one_sentence(
    settings_: dict[str, str],
    columns: str,
    tables: str,
    sentence: str,
    load: Load,
    tmp_path: Path,
) -> None:
    with pytest.raises(Problem) as caught:
        load("id,name,x\n1,A,1\n", mapping=mapping_file(tmp_path, columns, tables, **settings_))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mapping_that_does_not_exist_names_the_shipped_ones() -> None:
    with pytest.raises(Problem, match="cdnow, complete_journey, hillstrom, online_retail"):
        load_mapping("nowhere")


def test_a_mapping_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not readable TOML"):
        load_mapping(write(tmp_path / "broken.toml", "name = "))


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_valid_and_named_after_its_file(path: Path) -> None:
    mapping = load_mapping(path)
    assert mapping.name == ("my_export" if path.stem == "template" else path.stem)
    assert {target.name for target in mapping.tables} <= set(crm.tables)
