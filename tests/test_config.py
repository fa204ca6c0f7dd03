"""The server's settings: what must never be turned on by accident, and the launcher Streamlit has to find."""

import tomllib
from pathlib import Path

import pytest
from streamlit.web.server.app_discovery import discover_asgi_app

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "enableAgentApi", False),
        ("server", "enableStaticServing", False),
        ("server", "enableXsrfProtection", True),
        ("server", "allowedHosts", ["localhost", "127.0.0.1", "::1"]),
        ("server", "maxUploadSize", 200),
        ("server", "maxCacheDataSize", "128mb"),
        ("server", "disconnectedSessionTTL", 30),
        ("server", "fileWatcherType", "none"),
        ("server", "trustedUserHeaders", '{"x-mirror-sign-in": "sign_in"}'),
        ("browser", "gatherUsageStats", False),
        ("browser", "serverAddress", "localhost"),
        ("client", "showErrorDetails", "none"),
        ("client", "showErrorLinks", False),
        ("client", "toolbarMode", "viewer"),
        ("client", "disableDataExport", True),
        ("logger", "enableRich", False),
        ("runner", "magicEnabled", False),
        ("runner", "postScriptGC", False),
    ],
)
def test_a_setting_is_the_safe_one(section: str, option: str, value: object) -> None:
    assert CONFIG[section][option] == value


def test_streamlit_finds_the_launcher_and_runs_a_script_without_a_pages_folder_beside_it() -> None:
    found = discover_asgi_app(ROOT / "app.py")
    assert (found.is_asgi_app, found.app_name) == (True, "app")
    source = (ROOT / "app.py").read_text(encoding="utf-8")
    assert 'ROOT / "pages" / "_shell.py"' in source
    assert not (ROOT / "pages" / "pages").exists()
