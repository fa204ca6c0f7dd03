"""Settings from the environment (``MIRROR_*``); the command line offers the same as flags."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the data lives."""

    model_config = SettingsConfigDict(env_prefix="MIRROR_", frozen=True)

    home: Path = Field(default=Path("var"), description="folder for snapshots, quarantine files, default databases")
    crm_url: str = Field(default="", description="SQLAlchemy URL of the CRM database; default: SQLite in home")

    @property
    def crm(self) -> str:
        return self.crm_url or f"sqlite:///{(self.home / 'crm.sqlite').as_posix()}"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process; ``settings.cache_clear()`` reads the environment again."""
    return Settings()
