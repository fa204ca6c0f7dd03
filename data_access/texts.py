"""Translations of data texts (store names, categories) that the snapshot carries. No scope: texts hold no figures."""

from sqlalchemy import Engine, select

from data_access.marts.tables import translation


def translations(engine: Engine, language: str) -> dict[str, dict[str, str]]:
    """For each field of the data (``store.name``): source text to text in ``language`` (``en``)."""
    query = select(translation.c.field, translation.c.source_text, translation.c.text).where(
        translation.c.language == language
    )
    found: dict[str, dict[str, str]] = {}
    with engine.connect() as connection:
        for field, source, text in connection.execute(query):
            found.setdefault(field, {})[source] = text
    return found
