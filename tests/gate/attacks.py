"""Attacks: each fails, and each works as soon as the one guard against it is taken out.

An attack is a function that says whether it got through. It is tried twice, with things as they are and with its guard
replaced by one that lets everything pass, so that no test is green for another reason.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

Attack = Callable[..., bool]


class Attacks(dict[str, tuple[Attack, dict[str, Any]]]):
    """Attacks by name, each with its guards: dotted name -> what stands in when it is taken out."""

    def against(self, guards: Mapping[str, Any] | None = None, /, **in_gate: Any) -> Callable[[Attack], Attack]:
        """Marks an attack; ``in_gate``: guards under ``pages._gate``, with ``__`` for the dots."""
        taken_out = {f"pages._gate.{name.replace('__', '.')}": off for name, off in in_gate.items()}

        def mark(attack: Attack) -> Attack:
            self[attack.__name__] = attack, {**(guards or {}), **taken_out}
            return attack

        return mark

    def works(self, name: str, *at: object) -> bool:
        """Whether the attack works on things as they are."""
        return self[name][0](*at)

    def works_without_guard(self, name: str, monkeypatch: pytest.MonkeyPatch, *at: object) -> bool:
        """Whether it works with its guards taken out."""
        attack, guards = self[name]
        for guard, off in guards.items():
            monkeypatch.setattr(guard, off)
        return attack(*at)


def everybody(*_: object, **__: object) -> bool:
    """A guard that lets everybody pass."""
    return True


def nothing(*_: object, **__: object) -> None:
    """A guard that does nothing."""
    return None
