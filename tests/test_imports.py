"""What is imported is what is used: the package by itself costs nothing, and a simulation no more than it needs."""

from __future__ import annotations

import sys

import pytest

from tests import processes

_PARTS = """
import kernel
market = kernel.Gbm(assets=["A"], spot=1.0, volatility=0.5)
account = kernel.Account(cash=-0.5, positions=[kernel.Linear("A", quantity=1.0)], maintenance_rate=0.01)
"""
# Numba imports the package SciPy for its version, and none of what lies in it.
_SCIPY = {"scipy.linalg", "scipy.optimize", "scipy.special", "scipy.stats"}
_HEAVY = {*_SCIPY, "pyarrow", "pydantic", "matplotlib", "arch", "distributed", "click"}
_LEFT_OUT = {
    "import kernel": {*_HEAVY, "numpy", "numba", "scipy", "kernel.errors"},
    _PARTS: {*_HEAVY, "kernel.simulation", "kernel.measures", "kernel.fitting.kou"},
    "import kernel; kernel.simulate": {*_HEAVY, "kernel.config", "kernel.backtesting"},
    "import kernel; kernel.load": {*_HEAVY, "kernel.commands", "kernel.backtesting", "kernel.figures"},
}


@pytest.mark.parametrize("program", _LEFT_OUT, ids=["package", "parts", "simulate", "load"])
def test_what_is_not_used_is_not_imported(program: str) -> None:
    """Of the packages that take long to import, and of the house's own rooms, a program loads those that it uses."""
    loaded = processes.printed([sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"]).split()
    assert sorted(_LEFT_OUT[program] & set(loaded)) == []
