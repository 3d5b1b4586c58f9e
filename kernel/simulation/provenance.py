"""What it takes to run a simulation again."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kernel.accounts import Account
from kernel.accounts.ladder import Ladder
from kernel.markets import Market
from kernel.simulation.settings import DECLARED, Settings
from kernel.versions import versions


def provenance_of(market: Market, account: Account, ladder: Ladder, settings: Settings) -> dict[str, Any]:
    """Return what it takes to run a simulation again; the hash covers what determines its numbers."""
    stated = {name: getattr(settings, name) for name, setting in DECLARED.items() if setting.determines}
    stated |= {"worst": list(settings.worst_steps), "levels": list(settings.levels)}
    inputs = {
        "market": market.parameters(),
        "account": account.parameters(),
        "ladder": ladder.parameters(),
        "simulation": stated,
    }
    return stamped(inputs)


def stamped(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with the versions that worked on them and their hash."""
    digest = hashlib.blake2b(json.dumps(inputs, sort_keys=True, default=str).encode(), digest_size=16).hexdigest()
    return {"versions": versions(), "inputs": inputs, "inputs_blake2b": digest}
