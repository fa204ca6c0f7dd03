"""Under which names, from where and over what the app is served: the checks before anybody is asked who they are."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from streamlit import config

from data_access.settings import settings
from pages._gate.state import is_loopback

SAFE_METHODS = ("GET", "HEAD")


def tell_streamlit() -> None:
    """Streamlit has a list of names of its own, which must not be shorter than ours."""
    known = config.get_option("server.allowedHosts")
    served = [name.strip("[]") for name in settings().hosts]
    config.set_option("server.allowedHosts", [*known, *(name for name in served if name not in known)])


def is_served(connection: HTTPConnection) -> bool:
    """Whether the Host header names this installation: this machine, or a name of ``MIRROR_HOSTS``.

    Without such names the peer must be this machine, too. A name that anybody can point here (DNS rebinding) is none.
    """
    name = host_name(connection)
    if name is None:
        return False
    peer = connection.client
    if is_loopback(name):
        return peer is None or is_loopback(peer.host)
    served = settings().hosts
    return name in served or f"[{name}]" in served


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the request came over TLS. uvicorn takes a proxy's word for it only from addresses it is told to trust,
    by default this machine's."""
    return connection.scope["scheme"] in ("https", "wss")


def is_private(connection: HTTPConnection) -> bool:
    """Whether nobody on the way can read along: over TLS, or within this machine."""
    name = host_name(connection)
    return is_secure(connection) or (name is not None and is_loopback(name))


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the Origin is present and is the very site the request went to: its host, port and, over TLS, scheme."""
    headers = connection.headers
    origin = urlsplit(headers.get("origin", ""))
    if is_secure(connection) and origin.scheme != "https":
        return False
    return bool(headers.get("host")) and origin.netloc == headers["host"]


def host_name(connection: HTTPConnection) -> str | None:
    """The name that was asked for, without its port; None when the Host header is missing or not a name and port."""
    host = connection.headers.get("host", "")
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return name.lower().rstrip(".")
