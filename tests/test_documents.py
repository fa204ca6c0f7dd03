"""README and docs: links lead somewhere, pictures exist, commands take the options that are shown."""

import re
from functools import cache
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperCommand, TyperGroup

import data_access.__main__
import models.__main__
import pages.__main__

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
COMMAND = re.compile(r"python -m (data_access|models|pages) ([^`\n]+)")
PROGRAMS = {"data_access": data_access.__main__.app, "models": models.__main__.app, "pages": pages.__main__.app}


@cache
def program(name: str) -> TyperCommand | TyperGroup:
    found = typer.main.get_command(PROGRAMS[name])
    assert isinstance(found, TyperCommand | TyperGroup)
    return found


def anchors(document: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_what_exists(document: Path) -> None:
    broken = []
    for found in LINK.findall(document.read_text(encoding="utf-8")):
        target = found[0] or found[1]
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        there = (document.parent / name).resolve() if name else document
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist_with_the_options_that_are_shown(document: Path) -> None:
    wrong = [
        f"{name} {arguments}"
        for name, arguments in COMMAND.findall(document.read_text(encoding="utf-8"))
        if (unknown := unknown_to(program(name), arguments.split(" #")[0].split()))
        for _ in unknown[:1]
    ]
    assert wrong == []


def unknown_to(command: TyperCommand | TyperGroup, words: list[str]) -> list[str]:
    """Options of ``words`` that the command they name does not take; the first word where there is no such command."""
    while isinstance(command, TyperGroup) and words and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        if words[0] not in command.commands:
            return words[:1]
        command, words = command.commands[words[0]], words[1:]
    taken = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    shown = re.findall(r"--[a-z][a-z-]*", " ".join(words))
    return [option for option in shown if option not in taken | {"--help"}]


def test_a_command_that_is_none_is_found_out() -> None:
    assert unknown_to(program("models"), ["report", "overview", "--colour", "red"]) == ["--colour"]
    assert unknown_to(program("models"), ["dance"]) == ["dance"]
    assert unknown_to(program("models"), ["report", "overview", "--store", "S1"]) == []


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in seen:
            continue
        seen.add(document)
        for found in LINK.findall(document.read_text(encoding="utf-8")):
            there = (document.parent / (found[0] or found[1]).partition("#")[0]).resolve()
            if there.suffix == ".md" and there.exists():
                waiting.append(there)
    assert set(DOCUMENTS) - seen == set()
