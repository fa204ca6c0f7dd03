"""A real OpenID provider (idpyoidc) on a port of this machine, whose word a test can change before it is signed.

People sign in there without a form: whoever ``user`` names is there. Everything else is the provider's own: discovery,
keys, codes that are good once, PKCE, addresses it sends browsers back to.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from cryptojwt.jwk.hmac import SYMKey
from cryptojwt.jws.jws import JWS, factory
from cryptojwt.key_jar import KeyJar, init_key_jar
from cryptojwt.utils import b64e
from idpyoidc.server import Server
from idpyoidc.server.oauth2.add_on.pkce import hash_fun

from pages._gate.gate import OIDC_BACK, SIGN_IN

CLIENT_ID, SECRET = "beauty-mirror", "a secret of the client, with : and %"
_LOGOUT = {"logout_verify_url": "verify", "post_logout_uri_path": "left", "signing_alg": "RS256"}
_KEYS = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]


class Provider:
    """``with Provider() as op``: answers at ``op.issuer`` until the block ends.

    changes: claims that are put into the ID token (None: taken out). signs_with: whose key signs. metadata: what is
    changed in what it says of itself. asked: the paths it was asked for.
    """

    def __init__(self, site: str = "") -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.http.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.http.server_port}"
        self.user = "ann"
        self.changes: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.asked: list[str] = []
        self.server = _server(self)
        self.allow(site)
        self.keys: KeyJar = self.server.keyjar
        self.signs_with = self.keys

    def __enter__(self) -> "Provider":
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def allow(self, site: str) -> None:
        """Sends browsers back to this site only."""
        self.server.context.cdb[CLIENT_ID] |= {
            "redirect_uris": [(site + OIDC_BACK, {})],
            "post_logout_redirect_uris": [(site + SIGN_IN, {})],
        }

    def stop(self) -> None:
        """Nobody answers any more."""
        self.http.shutdown()
        self.http.server_close()

    def new_keys(self) -> None:
        """The provider has other keys from now on, and signs with them."""
        self.keys = self.signs_with = init_key_jar(key_defs=_KEYS)

    def sign(self, word: Callable[..., str], *args: Any, **asked: Any) -> str:
        """The ID token, with what the test wants changed in it, signed as the provider signs."""
        unpacked = factory(word(*args, **asked)).jwt
        said = {name: value for name, value in {**unpacked.payload(), **self.changes}.items() if value is not None}
        keys = {
            "none": [],
            "HS256": [SYMKey(key=SECRET, kid="")],
            "RS256": self.signs_with.get_signing_key("RSA")[:1],
        }
        return str(JWS(json.dumps(said), alg=self.algorithm).sign_compact(keys[self.algorithm]))

    def logout_token(self, session: str, **changes: Any) -> str:
        """Its word that a session there has ended, with ``changes`` in it."""
        client = {"client_id": CLIENT_ID, "backchannel_logout_uri": "anywhere", "id_token_signed_response_alg": "RS256"}
        self.changes = changes
        return self.sign(lambda: self.server.endpoint["session"].do_back_channel_logout(client, session)[1])

    def back(self, address: str) -> str:
        """Where a browser that is sent to ``address`` is sent back to: path and query."""
        parts = urlsplit(self.answer("authorization", urlsplit(address).query)[1]["location"])
        return f"{parts.path}?{parts.query}"

    def answer(self, path: str, query: str, body: str = "", headers: dict[str, str] | None = None) -> Any:
        """Status, headers and body of the answer of one of its ends."""
        self.asked.append(path)
        if path == ".well-known/openid-configuration":
            said = self.server.endpoint["provider_config"].process_request()["response_args"]
            said = {**said, "jwks_uri": f"{self.issuer}/jwks", **self.metadata}
            return 200, {"content-type": "application/json"}, json.dumps(said)
        if path == "jwks":
            return 200, {"content-type": "application/json"}, json.dumps(self.keys.export_jwks())
        if path == "authorization":
            person = b64e(json.dumps({"uid": self.user}).encode()).decode()
            self.server.context.authn_broker["anybody"]["method"].user = person
            # Whoever is asked to sign in anew does so at once.
            asked, end = {**dict(parse_qsl(query)), "prompt": "none"}, self.server.endpoint["authorization"]
            parsed = end.parse_request(asked, http_info={"headers": {}})
            if "error" in parsed:
                return 400, {"content-type": "application/json"}, parsed.to_json()
            done = end.process_request(parsed, http_info={"headers": {}})
            return 303, {"location": end.do_response(request=parsed, **done)["response"]}, ""
        if path == "token":
            end = self.server.endpoint["token"]
            parsed = end.parse_request(body, http_info={"headers": headers or {}})
            done = parsed if "error" in parsed else end.process_request(parsed)
            if "error" in done:
                return 400, {"content-type": "application/json"}, json.dumps({"error": done["error"]})
            said = end.do_response(request=parsed, **done)["response"]
            return 200, {"content-type": "application/json"}, said
        if path == "session":
            said = parse_qs(query)
            location = said["post_logout_redirect_uri"][0] if self._knows(said["id_token_hint"][0]) else "/unknown"
            return 303, {"location": location}, ""
        return 404, {}, ""

    def _knows(self, word: str) -> bool:
        """Whether it has given out this ID token."""
        return bool(factory(word).verify_compact(word, self.keys.get_signing_key("RSA")))


def _handler(op: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])).decode())

        def _answer(self, body: str) -> None:
            parts = urlsplit(self.path)
            try:
                status, headers, said = op.answer(parts.path[1:], parts.query, body, dict(self.headers.items()))
            except Exception as error:  # noqa: BLE001 - the provider's way to refuse a client or a code
                status, headers = 401, {"content-type": "application/json"}
                said = json.dumps({"error": "invalid_client", "error_description": type(error).__name__})
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(said.encode()))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            return

    return Handler


def _server(op: Provider) -> Server:
    client: dict[str, Any] = {
        "client_secret": SECRET,
        "response_types_supported": ["code"],
        "allowed_scopes": ["openid"],
        "id_token_signed_response_alg": "RS256",
    }
    ends = {
        "provider_config": (".well-known/openid-configuration", "provider_config.ProviderConfiguration", None),
        "authorization": ("authorization", "authorization.Authorization", None),
        "token": ("token", "token.Token", ["client_secret_basic", "client_secret_post"]),
        "session": ("session", "session.Session", None),
    }
    conf: dict[str, Any] = {
        "issuer": op.issuer,
        "key_conf": {"key_defs": _KEYS},
        "endpoint": {
            name: {
                "path": path,
                "class": f"idpyoidc.server.oidc.{kind}",
                "kwargs": {"client_authn_method": ways, **(_LOGOUT if name == "session" else {})},
            }
            for name, (path, kind, ways) in ends.items()
        },
        "authentication": {
            "anybody": {
                "acr": "urn:example:password",
                "class": "idpyoidc.server.user_authn.user.NoAuthn",
                "kwargs": {"user": op.user},
            }
        },
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True, "code_challenge_methods": {"S256": hash_fun(hashlib.sha256)}},
            }
        },
        "token_handler_args": {
            "code": {"kwargs": {"lifetime": 600}},
            "token": {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": 3600}},
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {"lifetime": 300}},
        },
        "cookie_handler": None,
    }
    server = Server(conf)
    server.context.cdb[CLIENT_ID] = client
    server.context.session_manager.sub_func["public"] = _subject
    words = server.context.session_manager.token_handler["id_token"]
    words.sign_encrypt = partial(op.sign, words.sign_encrypt)
    return server


def _subject(user_id: str, **_: object) -> str:
    return f"sub-of-{user_id}"
