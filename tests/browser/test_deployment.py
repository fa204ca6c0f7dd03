"""The files of ``deploy/`` as they are: nginx before a real server, the units and the image read part by part."""

import os
import re
import shlex
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from tests.browser.conftest import ROOT, Server, free_port, settled

DEPLOY = ROOT / "deploy"
FIRST_VISIT = 3_000_000  # bytes
UNITS = ("mirror@.service", "mirror-refresh.service")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of this machine, and its key beside it (``.key``)."""
    made = tmp_path_factory.mktemp("tls") / "crm.pem"
    key = made.with_suffix(".key")
    subprocess.run(
        shlex.split(f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {made}"),
        check=True,
        capture_output=True,
    )
    return made


@pytest.fixture(scope="module")
def proxy(server: Server, certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of nginx with the shipped file; only names, ports and certificate are this machine's."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no nginx on this machine")
        pytest.skip(
            "no nginx on this machine: install it (Debian: apt install nginx-light libnginx-mod-http-brotli-filter)"
        )
    folder = tmp_path_factory.mktemp("nginx")
    plain, secure = free_port(), free_port()
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for shipped, here in (
        ("127.0.0.1:8501", server.url.removeprefix("http://")),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl"),
        ("crm.example.com;", "localhost;"),
        ("/etc/ssl/crm.example.com.pem", str(certificate)),
        ("/etc/ssl/crm.example.com.key", str(certificate.with_suffix(".key"))),
    ):
        assert shipped in site, f"deploy/nginx.conf no longer says {shipped!r}"
        site = site.replace(shipped, here)
    (folder / "site.conf").write_text(site, encoding="utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        "include /etc/nginx/modules-enabled/*.conf;\ndaemon off;\n"
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\ninclude /etc/nginx/mime.types;\naccess_log off;\n{temporary}include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([nginx, "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"])
    try:
        url = f"https://localhost:{secure}"
        _answered(f"{url}/healthz", process, folder / "error.log")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _answered(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    trusting = ssl._create_unverified_context()
    for _ in range(300):
        if process.poll() is not None:
            pytest.fail(f"nginx stopped at once: {log.read_text(encoding='utf-8')}")
        try:
            with urllib.request.urlopen(url, timeout=5, context=trusting):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    pytest.fail(f"nginx does not answer: {log.read_text(encoding='utf-8')}")


def _measured(session: CDPSession) -> list[float]:
    """Bytes that came, as they come: answers as they were sent; of sockets what was sent, before deflating."""
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    session.on(
        "Network.webSocketFrameReceived", lambda event: sizes.append(len(event["response"]["payloadData"]) * 3 / 4)
    )
    session.send("Network.enable")
    return sizes


def test_through_the_shipped_proxy_the_first_visit_is_small(browser: Browser, proxy: str) -> None:
    context = browser.new_context(locale="en-US", ignore_https_errors=True)
    page = context.new_page()
    first = _measured(context.new_cdp_session(page))
    page.goto(proxy + "/")
    page.locator("form.role:has(input[value=regional])").get_by_role("button").click()
    settled(page)
    expect(page.locator(".main-svg").first).to_be_visible()
    settled(page)
    assert [cookie["name"] for cookie in context.cookies() if cookie["name"].startswith("__Host-")] == ["__Host-mirror"]
    assert sum(first) < FIRST_VISIT
    assert sum(first) > 1_000_000  # what draws charts came along
    context.close()


def test_what_machines_ask_for_stays_on_the_machine(proxy: str) -> None:
    """This machine passes nginx, and meets the gate's own refusal behind it."""
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    inside = re.search(r"location ~ \^/\((.+?)\) \{(.+?)\}", site, re.DOTALL)
    assert inside is not None
    assert inside[1] == "_stcore/(metrics|agent)|readyz"
    assert inside[2].split() == ["allow", "127.0.0.1;", "deny", "all;", "proxy_pass", "http://mirror;"]
    trusting = ssl._create_unverified_context()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{proxy}/_stcore/metrics", context=trusting)
    with urllib.request.urlopen(f"{proxy}/readyz", context=trusting) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    text = (DEPLOY / name).read_text(encoding="utf-8")
    command = re.search(r"^ExecStart=/opt/beauty-mirror/\.venv/bin/python -m (\w+)", text, re.MULTILINE)
    assert command is not None
    assert command[1] in ("streamlit", "data_access", "pages", "models")
    if analyze is None:
        pytest.skip("no systemd on this machine")
    there = tmp_path / name.replace("@.", "@8501.")
    there.write_text(text.replace("/opt/beauty-mirror/.venv/bin/python", "/bin/true"), encoding="utf-8")
    seen = subprocess.run([analyze, "verify", str(there)], capture_output=True, text=True, check=False)
    assert [line for line in seen.stderr.splitlines() if there.name in line] == []


def test_the_image_copies_what_exists_and_all_that_the_app_imports() -> None:
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (\S+) ", text, re.MULTILINE)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {"app.py", "pages", "models", "data_access", ".streamlit", "requirements.txt"} == set(copied)
    assert re.search(r"^USER mirror$", text, re.MULTILINE)


def test_every_setting_of_the_shipped_environment_exists() -> None:
    from data_access.settings import Settings

    named = re.findall(r"^(MIRROR_\w+)=", (DEPLOY / "mirror.env").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) >= 5
    assert [name for name in named if name.removeprefix("MIRROR_").lower() not in Settings.model_fields] == []
