"""Attacks on what a provider has to do with: each fails, and works as soon as its one guard is taken out."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.gate.openid import Provider

Attack = Callable[[Provider], bool]


class Attacks(dict[str, tuple[Attack, dict[str, Any]]]):
    """Attacks by name, each with its guards."""

    def against(self, **guards: Any) -> Callable[[Attack], Attack]:
        """Marks an attack; ``guards``: dotted name under ``pages._gate`` with ``__`` for the dots -> its
        replacement."""

        def mark(attack: Attack) -> Attack:
            self[attack.__name__] = (attack, {name.replace("__", "."): off for name, off in guards.items()})
            return attack

        return mark

    def works(self, name: str, op: Provider) -> bool:
        """Whether the attack works on things as they are."""
        return self[name][0](op)

    def works_without_guard(self, name: str, op: Provider, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Whether it works with its guards taken out."""
        attack, guards = self[name]
        for guard, off in guards.items():
            monkeypatch.setattr(f"pages._gate.{guard}", off)
        return attack(op)
