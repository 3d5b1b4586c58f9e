"""`margin warmup`: compile beforehand."""

# ruff: noqa: PLC0415 - imports inside functions: a page of help waits for none of them

from __future__ import annotations

import time
from itertools import product
from typing import TYPE_CHECKING

import click

from kernel.commands.shell import note

if TYPE_CHECKING:
    from kernel.markets import Market


@click.command()
@click.option("--precision", type=click.Choice(["single", "double"]), default="single", show_default=True)
def warmup(precision: str) -> None:
    """Compile the kernels of every market and keep them on disk."""
    from kernel.benchmark.environment import cache_folder, why_no_cache
    from kernel.markets import MARKETS

    for assets, (name, market) in product((1, 2), MARKETS.items()):
        start = time.perf_counter()
        _walk_one_path(market.example([f"asset {k}" for k in range(assets)]), precision)
        several = "several assets" if assets > 1 else "one asset"
        note(f"{name}, {several}, {precision} precision: {time.perf_counter() - start:.1f} s")
    note(f"kept in {cache_folder() or f'memory only: {why_no_cache()}'}")


def _walk_one_path(market: Market, precision: str) -> None:
    """Simulate an account on a market, so that its kernel is compiled and, where there is a cache folder, kept."""
    from kernel.accounts import Account
    from kernel.accounts.ladder import Ladder
    from kernel.instruments import Linear
    from kernel.simulation import simulate as simulation

    account = Account(cash=0.0, positions=[Linear(name, 1.0) for name in market.assets], maintenance_rate=0.01)
    simulation.simulate(market, account, Ladder({"call": 1.0}), horizon=1.0, steps=1, paths=1, precision=precision)
