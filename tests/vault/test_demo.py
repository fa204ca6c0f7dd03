"""No name, number, address or identity of the demo chain can be read in the files of its CRM."""

from pathlib import Path

from sqlalchemy import Engine

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.vault.keys import FILE
from data_access.vault.rows import SEALED
from tests.unsealed import unsealed
from tests.vault.conftest import hits


def planted(engine: Engine) -> tuple[str, ...]:
    """Everything that identifies somebody; days of birth apart, which are days like others."""
    found: set[str] = set()
    for table, columns in SEALED.items():
        frame = unsealed(engine, table)
        found.update(*(frame[column].dropna() for column in columns if column != "birthday"))
    return tuple(found)


def test_nobody_can_be_read_in_the_files(home: Path) -> None:
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    home.mkdir()
    write_demo(engine, scale="tiny", truth_path=home / "truth.json", home=home)
    words = planted(engine)
    assert len(words) > 1_000
    assert hits(engine, words) == []
    write_demo(engine, scale="tiny", seed=2, truth_path=home / "truth.json", home=home)
    assert hits(engine, (*words, *planted(engine))) == []
    engine.dispose()


def test_a_demo_whose_key_was_lost_is_written_anew(home: Path) -> None:
    home.mkdir()
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    write_demo(engine, scale="tiny", truth_path=home / "truth.json", home=home)
    before = (home / FILE).read_text()
    (home / FILE).unlink()
    write_demo(engine, scale="tiny", truth_path=home / "truth.json", home=home)
    assert (home / FILE).read_text() != before
    assert len(planted(engine)) > 1_000
    engine.dispose()
