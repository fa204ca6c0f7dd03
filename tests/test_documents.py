"""README and docs: links lead somewhere, pictures exist, and every command is one that can be run as it is shown."""

import ast
import re
import shlex
import subprocess
from functools import cache
from pathlib import Path

import pytest
import streamlit.config
import typer.main
from typer.core import TyperCommand, TyperGroup

import data_access.__main__
import models.__main__
import pages.__main__
from data_access.settings import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TYPED = ("", "sh", "bash", "ini")  # languages of blocks with commands
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


def code_of(document: Path) -> str:
    """What stands in blocks and between backticks."""
    text = document.read_text(encoding="utf-8")
    return "\n".join([*blocks(text), *re.findall(r"`([^`\n]+)`", text)])


def blocks(text: str) -> list[str]:
    """The blocks of a document that hold commands."""
    return [block for language, block in BLOCK.findall(text) if language in TYPED]


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


def commands() -> list[str]:
    """Every line of a block that a person would type, or a timer run, without its comment."""
    lines = [
        line.split(" #")[0].strip().removeprefix("ExecStart=")
        for document in DOCUMENTS
        for block in blocks(document.read_text(encoding="utf-8"))
        for line in block.splitlines()
    ]
    return sorted({line for line in lines if re.match(r"(sudo |cd |export |make |git |podman |\S*python )", line)})


def typed(line: str) -> list[str]:
    """A line in words; what an option may be left out of stands in brackets."""
    return shlex.split(re.sub(r"[\[\]]", "", line))


@pytest.mark.parametrize(
    "line", [line for line in commands() if re.search(r"python -m (data_access|models|pages) ", line)]
)
def test_a_command_of_ours_takes_what_is_shown(line: str) -> None:
    """Its parser reads it to the end: names, options, values and what is required."""
    words = typed(line)
    start = words.index("-m") + 1
    command, rest = program(words[start]), words[start + 1 :]
    while isinstance(command, TyperGroup):
        command, rest = command.commands[rest[0]], rest[1:]
    command.make_context(words[start], list(rest)).close()


@pytest.mark.parametrize(
    "target",
    sorted({found for document in DOCUMENTS for found in re.findall(r"\bmake (\.?[a-z][\w./-]*)", code_of(document))}),
)
def test_make_has_what_is_shown(target: str) -> None:
    ran = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("module", "options"),
    sorted(
        {
            (module, " ".join(re.findall(r"--[a-z][a-z-]*", rest)))
            for document in DOCUMENTS
            for module, rest in re.findall(r"python -m (tests[\w.]*)([^`|\n]*)", document.read_text(encoding="utf-8"))
        }
    ),
)
def test_a_tool_of_the_tests_takes_what_is_shown(module: str, options: str) -> None:
    place = ROOT.joinpath(*module.split("."))
    file = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    taken = {
        str(argument.value)
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    }
    assert [option for option in options.split() if option not in taken] == []


def test_what_the_files_of_deployment_run_takes_what_they_say() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "deploy").iterdir())]
    shown = [option for text in [*texts, *commands()] for option in re.findall(r"--((?:server|browser)\.\w+)", text)]
    assert shown
    assert [option for option in shown if option not in streamlit.config.get_config_options()] == []
    for text in texts:
        for name, arguments in COMMAND.findall(text):
            assert unknown_to(program(name), arguments.split()) == []


def test_files_and_units_that_commands_name_are_there() -> None:
    lines = commands()
    files = [path for line in lines for path in re.findall(r"\bdeploy/[\w.@-]+", line)]
    units = [unit for line in lines for unit in re.findall(r"\bmirror(?:@|-refresh\b)", line) if "systemctl" in line]
    assert {"deploy/mirror.env", "deploy/Containerfile"} <= set(files)
    assert units
    there = {path.name for path in (ROOT / "deploy").iterdir()}
    assert [path for path in files if not (ROOT / path).exists()] == []
    assert [unit for unit in units if f"{unit}.service" not in there] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_settings_that_are_named_exist(document: Path) -> None:
    named = set(re.findall(r"\bMIRROR_([A-Z][A-Z_]+[A-Z])\b", document.read_text(encoding="utf-8")))
    assert {name for name in named if name.lower() not in Settings.model_fields} - {"OIDC"} == set()


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
