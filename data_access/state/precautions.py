"""What whoever keeps the accounts has not seen to yet, and will miss one day."""

from typing import Literal

from sqlalchemy import Engine

from data_access.settings import settings
from data_access.state import accounts

Missing = Literal["break_glass", "second_factor"]


def missing(engine: Engine) -> tuple[Missing, ...]:
    """break_glass: when the OpenID provider is away, nobody gets in. second_factor: no administrator has set one up, so
    whoever learns a password becomes the first to do so. Nothing where there are no accounts.
    """
    everyone = [known for known in accounts.everyone(engine) if not known.disabled]
    keepers = [known for known in everyone if known.role == "administrator"]
    found: list[Missing] = []
    if everyone and settings().with_provider and not any(known.break_glass for known in keepers):
        found.append("break_glass")
    vouched = settings().with_provider and settings().oidc_second_factor
    if everyone and not vouched and not any(known.has_totp for known in keepers):
        found.append("second_factor")
    return tuple(found)
