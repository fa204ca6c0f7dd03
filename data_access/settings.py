"""Settings from the environment (``MIRROR_*``); the command line offers the same as flags."""

import re
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data_access.errors import Problem

CONNECTED = "crm.url"  # in the home: the CRM database that was named in the browser
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str | timedelta) -> timedelta:
    """A length of time as people write it: "30s", "5m", "1h", "1d". Problem for anything else, and for none at all."""
    if isinstance(text, timedelta):
        return text
    found = re.fullmatch(r"\s*(\d{1,6})\s*([smhd])\s*", text)
    if not found or not int(found[1]):
        raise Problem(f"{text!r} is not a length of time: write a number and s, m, h or d, such as 5m, 1h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def host_names(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Host names as people list them: "crm.example.com, 10.1.2.3". Problem for URLs, ports and wildcards."""
    if isinstance(text, tuple):
        return text
    names = tuple(part.strip().lower().rstrip(".") for part in text.split(",") if part.strip())
    for name in names:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", name):
            raise Problem(f"{name!r} in MIRROR_HOSTS is not a host name: list names such as crm.example.com, no port")
    return names


def issuer(text: str) -> str:
    """The address of an OpenID provider, as it calls itself. Problem unless https, or http on this machine."""
    if text and not re.fullmatch(r"https://[^\s?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#]*)?", text):
        raise Problem(f"{text!r} in MIRROR_OIDC_ISSUER is not an https address such as https://login.example.com")
    return text


def words(text: str | tuple[str, ...]) -> tuple[str, ...]:
    """Words as people list them, separated by spaces or commas."""
    return tuple(text.replace(",", " ").split()) if isinstance(text, str) else text


class Settings(BaseSettings):
    """Where the data lives, and how fresh it ought to be."""

    model_config = SettingsConfigDict(env_prefix="MIRROR_", frozen=True)

    home: Path = Field(default=Path("var"), description="folder for snapshots, quarantine files, default databases")
    crm_url: str = Field(default="", description="SQLAlchemy URL of the CRM database; default: SQLite in home")
    crm_live_url: str = Field(
        default="", description="the same database for look-ups of single customers, by a role that only reads"
    )
    state_url: str = Field(default="", description="SQLAlchemy URL of the app's own store; default: SQLite in home")
    keys: SecretStr = Field(
        default=SecretStr(""),
        description="id:key,id:key of the CRM's sealed columns; default: the file HOME/vault.keys",
    )
    leaked_passwords: Path | None = Field(
        default=None, description="file of leaked passwords, one a line, of which none can be chosen"
    )
    hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(host_names)] = Field(
        default=(), description="names the app is served under, separated by commas; none: this machine only"
    )
    refresh_every: Annotated[timedelta, BeforeValidator(duration)] = Field(
        default=timedelta(days=1), description="how often a refresh is expected (5m, 1h, 1d)"
    )

    batch: Literal["after_refresh", "never"] = Field(
        default="after_refresh", description="whether the dashboard starts the batch after each refresh"
    )
    cluster: str = Field(default="", description="address of a Dask scheduler for the batch; none: this machine")

    oidc_issuer: Annotated[str, BeforeValidator(issuer)] = Field(
        default="", description="the OpenID provider people sign in with; none: accounts with passwords of our own"
    )
    oidc_client_id: str = Field(default="", description="what the provider calls this app")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="what the provider knows this app by")
    oidc_name: str = Field(default="", max_length=60, description="what people call the provider")
    oidc_scopes: Annotated[tuple[str, ...], NoDecode, BeforeValidator(words)] = Field(
        default=("openid",), description="what the provider is asked for"
    )
    oidc_second_factor: Annotated[tuple[str, ...], NoDecode, BeforeValidator(words)] = Field(
        default=(), description="values of amr or acr that stand for a second factor; none: codes of our own"
    )

    staff_hour: float | None = Field(
        default=None, ge=0, description="what an hour of staff costs, in the chain's currency; none: it has no price"
    )
    read_timeout: float = Field(default=1800, gt=0, description="seconds one statement of a refresh may take the CRM")

    @model_validator(mode="after")
    def _provider_is_whole(self) -> "Settings":
        if bool(self.oidc_issuer) != bool(self.oidc_client_id):
            raise Problem("MIRROR_OIDC_ISSUER and MIRROR_OIDC_CLIENT_ID belong together: set both, or neither")
        if "openid" not in self.oidc_scopes:
            raise Problem("MIRROR_OIDC_SCOPES must name openid: without it the provider says nothing of the person")
        return self

    @property
    def with_provider(self) -> bool:
        """Whether people sign in with an OpenID provider."""
        return bool(self.oidc_issuer)

    @property
    def crm(self) -> str:
        """Where the CRM is: as the environment says, as somebody named it in the browser, or our own in the home."""
        named = self.home / CONNECTED
        if not self.crm_url and named.is_file():
            return named.read_text(encoding="utf-8").strip()
        return self.crm_url or f"sqlite:///{(self.home / 'crm.sqlite').as_posix()}"

    @property
    def keeps_crm(self) -> bool:
        """Whether the CRM database is our own, in the home, so that files and the demo chain may be written into it."""
        return self.crm == f"sqlite:///{(self.home / 'crm.sqlite').as_posix()}"

    @property
    def crm_live(self) -> str:
        return self.crm_live_url or self.crm

    @property
    def state(self) -> str:
        return self.state_url or f"sqlite:///{(self.home / 'state.sqlite').as_posix()}"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; ``settings.cache_clear()`` reads the environment again."""
    return Settings()
