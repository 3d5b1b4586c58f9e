"""The notice: a breach is recorded."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.escalation.action import Action


@dataclass(frozen=True)
class Notice(Action):
    """A notice: the breach is recorded, and nothing else. It costs nothing, and cancels no call.

    Example:
        >>> Notice()
        Notice()
    """
