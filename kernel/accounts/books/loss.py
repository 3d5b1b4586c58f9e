"""What linear positions have lost at the horizon."""

from __future__ import annotations

from kernel._core.jit import block


@block
def lose_linearly(quantity, lanes, assets, n):
    """Fill lanes.loss[:n]; quantity: [asset] currency per unit of relative price, float64."""
    loss = lanes.loss
    loss[:n] = 0.0
    for a in range(assets.size):
        each, relative = quantity[a], assets[a].relative_price
        for i in range(n):
            loss[i] -= each * (relative[i] - 1.0)
