"""What no page, query or report may do, read from the source. Each rule is also shown a breach, which it must find."""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from data_access.scope import Scope
from models.reports.registry import REPORTS
from tests.test_queries import FUNCTIONS

ROOT = Path(__file__).parents[1]
LOAD = "pages/_ui/load.py"
RUNS_STATEMENTS = ("data_access/queries/_frame.py", "data_access/queries/_places.py")
# Where a person's rights become a scope, and where the chain is asked for on behalf of nobody.
MAKE_SCOPES = (
    "pages/_ui/session.py",
    LOAD,
    "pages/_gate/warm.py",
    "pages/_gate/places.py",
    "models/__main__.py",
    "models/jobs/job.py",
    # What is held on one customer and forgotten of one is so in the whole chain; administrators only, noted before.
    "pages/_ui/privacy_forms.py",
)

Rule = Callable[[str, ast.AST], Iterator[int]]
RULES: dict[str, tuple[tuple[str, ...], Rule]] = {}


def rule(*folders: str) -> Callable[[Rule], Rule]:
    """A rule for all files in ``folders``: gives the lines that break it."""

    def mark(check: Rule) -> Rule:
        RULES[check.__name__] = folders, check
        return check

    return mark


def called(node: ast.AST) -> str:
    """The dotted name of what is called, read or used as a decorator; '' for anything else."""
    match node:
        case ast.Call(func=func):
            return called(func)
        case ast.Attribute(value=value, attr=attr):
            return f"{called(value)}.{attr}"
        case ast.Name(id=name):
            return name
    return ""


def imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, names=names) if module:
            return [module, *(f"{module}.{alias.name}" for alias in names)]
    return []


@rule("pages", "models")
def talks_to_a_database_itself(path: str, tree: ast.AST) -> Iterator[int]:
    drivers = {"duckdb", "sqlite3", "psycopg", "pymysql", "duckdb_sqlalchemy"}
    of_sqlalchemy = set() if path.startswith("pages/_gate") else {"sqlalchemy"}
    for node in ast.walk(tree):
        for module in imported(node):
            allowed = module.startswith("sqlalchemy.exc") or names_only_types(node)
            if module.split(".")[0] in drivers | of_sqlalchemy and not allowed:
                yield node.lineno


def names_only_types(node: ast.AST) -> bool:
    of_sqlalchemy = isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy"
    return of_sqlalchemy and {alias.name for alias in node.names} <= {"Engine", "Connection"}


@rule("pages")
def a_page_reads_files_or_starts_programs(path: str, tree: ast.AST) -> Iterator[int]:
    if path.startswith(("pages/_gate", "pages/_ui")):
        return
    for node in ast.walk(tree):
        if called(node) in ("open", "eval", "exec", "compile", "__import__") and isinstance(node, ast.Call):
            yield node.lineno
        if any(module.split(".")[0] in ("os", "subprocess", "socket", "importlib") for module in imported(node)):
            yield node.lineno


@rule("data_access/queries", "models")
def runs_a_statement_beside_the_check(path: str, tree: ast.AST) -> Iterator[int]:
    if path in RUNS_STATEMENTS:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            runs = node.func.attr in (
                "execute",
                "scalar",
                "scalars",
                "exec_driver_sql",
                "raw_connection",
                "execution_options",
            )
            if runs or node.func.attr in ("read_sql", "read_sql_query", "read_sql_table"):
                yield node.lineno


@rule("data_access/queries", "models", "pages")
def writes_sql_as_text(path: str, tree: ast.AST) -> Iterator[int]:
    words = ("select ", "insert into", "update ", "delete from", "copy ", "attach ", "pragma ")
    for node in ast.walk(tree):
        if {"sqlalchemy.text", "sqlalchemy.literal_column"} & set(imported(node)):
            yield node.lineno
        if isinstance(node, ast.JoinedStr):
            said = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant)).lower().lstrip()
            if said.startswith(words) and any(word in said for word in (" from ", " into", " set ")):
                yield node.lineno


@rule("pages", "models", "data_access/queries")
def keeps_answers_outside_of_load(path: str, tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if called(node) in ("st.cache_data", "st.cache_resource") and path != LOAD:
            yield getattr(node, "lineno", 0)


# What an administrator's uploaded files hold: neither rows of a scope nor of a generation.
OF_UPLOADS = ("uploaded_file", "import_preview")


@rule("pages/_ui")
def keeps_answers_without_scope_or_generation(path: str, tree: ast.AST) -> Iterator[int]:
    if path != LOAD:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name in OF_UPLOADS:
            continue
        cached = [d for d in node.decorator_list if called(d) == "st.cache_data"]
        for decorator in cached:
            options = {keyword.arg for keyword in decorator.keywords} if isinstance(decorator, ast.Call) else set()
            names = [argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)]
            of_the_chain = "scope" not in names and node.name not in ("places", "translations")
            if {"persist", "hash_funcs"} & options or "generation" not in names or of_the_chain:
                yield node.lineno
            if any(name.startswith("_") for name in names):
                yield node.lineno


# Where an administrator with an account brings in the first data.
TAKES_FILES = "start_views.py"


@rule("pages")
def lets_html_or_files_through(path: str, tree: ast.AST) -> Iterator[int]:
    ways = {"download_button", "file_uploader", "camera_input", "components", "iframe"}
    if path.endswith(TAKES_FILES):
        ways.remove("file_uploader")
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("unsafe_allow_html", "unsafe_allow_javascript"):
            yield node.value.lineno
        if called(node).split(".")[-1] in ways:
            yield getattr(node, "lineno", 0)


@rule("pages", "models", "data_access")
def unpickles(path: str, tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if any(module.split(".")[0] in ("pickle", "joblib", "shelve", "marshal", "dill") for module in imported(node)):
            yield node.lineno
        if called(node).split(".")[-1] in ("read_pickle", "to_pickle") or (
            isinstance(node, ast.keyword) and node.arg == "allow_pickle"
        ):
            yield getattr(node, "lineno", 0)


@rule("pages", "models")
def makes_a_scope_of_its_own(path: str, tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) == "Scope" and path not in MAKE_SCOPES:
            yield node.lineno


@rule("pages")
def takes_identity_or_scope_from_the_visitor(path: str, tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                holder = called(value)
            case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[ast.Constant(value=str(key)), *_]):
                holder = called(value)
            case _:
                continue
        if holder in ("st.session_state", "st.query_params") and key in ("role", "scope", "account", "person", "user"):
            yield node.lineno


@rule("pages")
def draws_what_misleads(path: str, tree: ast.AST) -> Iterator[int]:
    """Pies, gauges, radars, 3-D and second value axes (docs/look.md)."""
    misleading = ("Pie", "Sunburst", "Indicator", "Scatterpolar", "Barpolar", "Scatter3d", "Surface", "Mesh3d")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node).split(".")[-1] in misleading:
            yield node.lineno
        if isinstance(node, ast.Constant) and node.value in ("overlaying", "secondary_y"):
            yield node.lineno
        if isinstance(node, ast.keyword) and node.arg in ("overlaying", "secondary_y"):
            yield node.value.lineno


def files(folders: tuple[str, ...]) -> list[Path]:
    found = {path for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert found
    return sorted(found)


@pytest.mark.parametrize("name", RULES)
def test_nobody_breaks_the_rule(name: str) -> None:
    folders, check = RULES[name]
    broken = []
    for file in files(folders):
        path = file.relative_to(ROOT).as_posix()
        broken += [f"{path}:{line}" for line in check(path, ast.parse(file.read_text(encoding="utf-8")))]
    assert broken == []


BREACHES = {
    "talks_to_a_database_itself": "import duckdb",
    "a_page_reads_files_or_starts_programs": "rows = open('var/crm.sqlite', 'rb')",
    "runs_a_statement_beside_the_check": "frame = engine.connect().execute(query)",
    "writes_sql_as_text": "query = f'SELECT * FROM sale_order WHERE store_id = {store}'",
    "keeps_answers_outside_of_load": "@st.cache_data\ndef figures(): ...",
    "lets_html_or_files_through": "st.markdown(name, unsafe_allow_html=True)",
    "unpickles": "import pickle",
    "makes_a_scope_of_its_own": "scope = Scope('chain')",
    "draws_what_misleads": "figure.add_trace(go.Pie(values=sales))",
    "takes_identity_or_scope_from_the_visitor": "role = st.query_params.get('role')",
}
IN_LOAD = {
    "keeps_answers_without_scope_or_generation": (
        "@st.cache_data\ndef sales(generation): ...",
        "@st.cache_data\ndef sales(scope): ...",
        "@st.cache_data(persist='disk')\ndef sales(scope, generation): ...",
        "@st.cache_data\ndef sales(_scope, scope, generation): ...",
    )
}


@pytest.mark.parametrize("name", RULES)
def test_a_breach_of_the_rule_is_found(name: str) -> None:
    _, check = RULES[name]
    for source in IN_LOAD.get(name, ()):
        assert list(check(LOAD, ast.parse(source))) != []
    if name not in IN_LOAD:
        assert list(check("pages/new.py", ast.parse(BREACHES[name]))) != []


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_takes_the_scope_second_and_has_no_default_for_it(name: str) -> None:
    snapshot, scope, *_ = inspect.signature(REPORTS[name].function).parameters.values()
    assert (snapshot.name, scope.name) == ("snapshot", "scope")
    assert scope.annotation is Scope
    assert scope.default is inspect.Parameter.empty


def test_every_query_names_whoever_asks_first() -> None:
    first = {name: next(iter(inspect.signature(function).parameters)) for name, function in FUNCTIONS.items()}
    assert {name: parameter for name, parameter in first.items() if parameter != "scope"} == {}
