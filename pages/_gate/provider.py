"""The OpenID provider: where its ends are, and what is believed of what it says.

Authorization code flow with PKCE (S256). The ID token counts when a key of the provider has signed it, it is from this
issuer for this client, in time, and carries the nonce of this visit. Nothing here waits longer than ``WITHIN``.
"""

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.oauth2.claims import JWTClaims
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from data_access.settings import settings
from data_access.state.identities import Identity, Proof
from data_access.state.sign_outs import SignOut
from data_access.state.visits import Visit
from pages._gate.state import is_loopback

DISCOVERY = "/.well-known/openid-configuration"
WITHIN = 8.0  # seconds for one question to the provider, from the first byte to the last
FRESH = 3600.0  # seconds what it says of itself is good for
LEEWAY = 60  # seconds its clock and ours may differ
OLDEST = 600  # seconds a word to sign somebody out is believed
KEYS_AGAIN = 60.0  # seconds before its keys are read again because somebody named one it does not have

BACK_CHANNEL = "http://schemas.openid.net/event/backchannel-logout"

# Signed with a key only the provider has. Neither "none" nor what anybody with the client secret could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


class DownError(Exception):
    """The provider does not answer, or not as one."""


class UntrueError(Exception):
    """What came back is not to be believed. The text names what; for the log."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What the provider says of itself. names_itself: it says who it is also when it sends the browser back."""

    issuer: str
    authorization: str
    token: str
    end_session: str
    jwks: str
    algorithms: tuple[str, ...]
    secret_in_form: bool
    names_itself: bool
    keys: KeySet
    read_at: float


_known: dict[str, Provider] = {}


async def known() -> Provider:
    """The provider of the settings, read when it is first needed and every hour. DownError when it is away."""
    kept = _known.get(settings().oidc_issuer)
    if kept is None or time.monotonic() - kept.read_at > FRESH:
        kept = await _read(settings().oidc_issuer)
        _known[kept.issuer] = kept
    return kept


def address(provider: Provider, visit: Visit, state: str) -> str:
    """Where the browser is sent."""
    chosen = settings()
    # Nobody is taken for who they were an hour ago, where that matters.
    fresh = {"prompt": "login", "max_age": "0"} if visit.fresh else {}
    uri: str = prepare_grant_uri(
        provider.authorization,
        chosen.oidc_client_id,
        "code",
        redirect_uri=visit.redirect_uri,
        scope=list(chosen.oidc_scopes),
        state=state,
        nonce=visit.nonce,
        code_challenge=create_s256_code_challenge(visit.verifier),
        code_challenge_method="S256",
        **fresh,
    )
    return uri


def is_from(provider: Provider, named: str | None) -> bool:
    """Whether the browser comes back from this provider, as far as it says so (RFC 9207)."""
    return named == provider.issuer if named is not None else not provider.names_itself


async def person(provider: Provider, visit: Visit, code: str) -> tuple[Identity, Proof]:
    """Who came back with ``code``, and what the provider vouches for. DownError, UntrueError."""
    answer = await _exchange(provider, visit, code)
    word = answer.get("id_token")
    if not isinstance(word, str):
        raise UntrueError("no ID token")
    try:
        claims = checked(provider, word, answer, visit)
    except InvalidKeyIdError:
        # It has a new key since its keys were read.
        _known.pop(provider.issuer, None)
        provider = await known()
        try:
            claims = checked(provider, word, answer, visit)
        except InvalidKeyIdError as error:
            raise UntrueError("a key the provider does not have") from error
    proved_at = _instant(claims.get("auth_time"))
    if visit.fresh and not _is_fresh(proved_at):
        raise UntrueError("nobody was asked who they are")
    vouched = _methods(claims) & set(settings().oidc_second_factor)
    proof = Proof(provider.issuer, word, bool(vouched), proved_at, _text(claims, "sid"))
    return Identity(provider.issuer, claims["sub"]), proof


def checked(provider: Provider, word: str, answer: Mapping[str, Any], visit: Visit) -> Mapping[str, Any]:
    """The claims of an ID token that is to be believed. UntrueError, InvalidKeyIdError."""
    client_id = settings().oidc_client_id
    try:
        token = jwt.decode(
            word, provider.keys, registry=JWSRegistry(algorithms=provider.algorithms, strict_check_header=False)
        )
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": client_id},
            "sub": {"essential": True},
        }
        params = {"nonce": visit.nonce, "client_id": client_id, "access_token": answer.get("access_token")}
        claims = CodeIDToken(token.claims, token.header, options, params)
        claims.validate(leeway=LEEWAY)
    except InvalidKeyIdError:
        raise
    except (JoseError, ValueError, TypeError) as error:
        raise UntrueError(f"the ID token: {error}") from error
    return dict(claims)


async def sign_out(provider: Provider, word: str) -> SignOut:
    """Whom a logout token signs out (OpenID Connect Back-Channel Logout 1.0, 2.6). DownError, UntrueError."""
    try:
        return believed(provider, word)
    except InvalidKeyIdError:
        # Anybody can name a key nobody has; the provider is not asked for every such word.
        if time.monotonic() - provider.read_at < KEYS_AGAIN:
            raise UntrueError("a key the provider does not have") from None
        _known.pop(provider.issuer, None)
    try:
        return believed(await known(), word)
    except InvalidKeyIdError as error:
        raise UntrueError("a key the provider does not have") from error


def believed(provider: Provider, word: str) -> SignOut:
    """What a logout token says that is to be believed. UntrueError, InvalidKeyIdError."""
    try:
        token = jwt.decode(
            word, provider.keys, registry=JWSRegistry(algorithms=provider.algorithms, strict_check_header=False)
        )
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": settings().oidc_client_id},
            "iat": {"essential": True},
            "exp": {"essential": True},
            "jti": {"essential": True},
        }
        claims = JWTClaims(token.claims, token.header, options)
        claims.validate(leeway=LEEWAY)
    except InvalidKeyIdError:
        raise
    except (JoseError, ValueError, TypeError) as error:
        raise UntrueError(f"the logout token: {error}") from error
    if (wrong := _wrong_with(token.header, claims)) is not None:
        raise UntrueError(f"the logout token {wrong}")
    good_until = datetime.fromtimestamp(claims["iat"], UTC).replace(tzinfo=None) + timedelta(seconds=OLDEST + LEEWAY)
    return SignOut(provider.issuer, _text(claims, "sub"), _text(claims, "sid"), _text(claims, "jti"), good_until)


def _wrong_with(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str | None:
    """Why a signed and timely word of the provider is none to sign somebody out."""
    if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in ("jwt", "logout+jwt"):
        return "is of another kind"
    if not (isinstance(claims.get("events"), dict) and isinstance(claims["events"].get(BACK_CHANNEL), dict)):
        return "does not say that somebody signs out"
    if "nonce" in claims:
        return "is an ID token"
    if not _text(claims, "jti") or not (_text(claims, "sub") or _text(claims, "sid")):
        return "names nobody"
    if time.time() - claims["iat"] > OLDEST + LEEWAY:
        return "is too old"
    return None


def goodbye(provider: Provider, id_token: str, back: str) -> str:
    """Where the browser signs out of the provider, too; empty when it offers no such thing."""
    if not provider.end_session:
        return ""
    query = {"id_token_hint": id_token, "post_logout_redirect_uri": back, "client_id": settings().oidc_client_id}
    return f"{provider.end_session}{'&' if urlsplit(provider.end_session).query else '?'}{urlencode(query)}"


async def _read(issuer: str) -> Provider:
    said = await _json("GET", issuer.rstrip("/") + DISCOVERY)
    if said.get("issuer") != issuer:
        raise DownError(f"it calls itself {said.get('issuer')!r}, MIRROR_OIDC_ISSUER says {issuer!r}")
    offered = said.get("id_token_signing_alg_values_supported") or ["RS256"]
    ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    jwks = _endpoint(said, "jwks_uri")
    return Provider(
        issuer=issuer,
        authorization=_endpoint(said, "authorization_endpoint"),
        token=_endpoint(said, "token_endpoint"),
        end_session=_endpoint(said, "end_session_endpoint") if said.get("end_session_endpoint") else "",
        jwks=jwks,
        algorithms=tuple(name for name in ALGORITHMS if name in offered),
        secret_in_form="client_secret_post" in ways,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        keys=await _keys(jwks),
        read_at=time.monotonic(),
    )


async def _keys(jwks: str) -> KeySet:
    try:
        return KeySet.import_key_set(await _json("GET", jwks))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise DownError(f"its keys cannot be read: {error}") from error


async def _exchange(provider: Provider, visit: Visit, code: str) -> Mapping[str, Any]:
    chosen = settings()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": visit.redirect_uri,
        "code_verifier": visit.verifier,
    }
    auth = None
    secret = chosen.oidc_client_secret.get_secret_value()
    if secret and not provider.secret_in_form:
        # RFC 6749, 2.3.1: both parts are encoded before they are joined.
        auth = httpx.BasicAuth(quote(chosen.oidc_client_id, safe=""), quote(secret, safe=""))
    else:
        form |= {"client_id": chosen.oidc_client_id} | ({"client_secret": secret} if secret else {})
    return await _json("POST", provider.token, data=form, auth=auth)


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The authorities that are believed, read once; ``SSL_CERT_FILE`` names others."""
    return httpx.create_ssl_context()


async def _json(method: str, url: str, **more: Any) -> Mapping[str, Any]:
    """One answer as an object. UntrueError for a refusal (4xx), DownError for anything else but success."""
    try:
        async with asyncio.timeout(WITHIN), httpx.AsyncClient(timeout=WITHIN, verify=_trusted()) as client:
            answer = await client.request(method, url, headers={"accept": "application/json"}, **more)
        said = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
        raise DownError(f"{urlsplit(url).path}: {type(error).__name__}") from error
    if method == "POST" and 400 <= answer.status_code < 500:
        raise UntrueError(f"refused: {said.get('error') if isinstance(said, dict) else answer.status_code}")
    if answer.status_code != 200 or not isinstance(said, dict):
        raise DownError(f"{urlsplit(url).path}: {answer.status_code}")
    return said


def _endpoint(said: Mapping[str, Any], name: str) -> str:
    url = said.get(name)
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))):
        raise DownError(f"its {name} is {url!r}, which is not https")
    return str(url)


def _methods(claims: Mapping[str, Any]) -> set[str]:
    """How the person showed who they are: amr is a list, acr one word."""
    methods = claims.get("amr")
    said = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    return said | ({claims["acr"]} if isinstance(claims.get("acr"), str) else set())


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is text; empty when there is none."""
    return claims[name] if isinstance(claims.get(name), str) else ""


def _instant(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int | float):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def _is_fresh(proved_at: datetime | None) -> bool:
    now = datetime.now(UTC).replace(tzinfo=None)
    return proved_at is not None and now - timedelta(minutes=5) <= proved_at <= now + timedelta(seconds=LEEWAY)
