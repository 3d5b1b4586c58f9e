"""What linear positions have lost at the horizon."""

from __future__ import annotations

from kernel._core.jit import block


@block
def lose_linearly(quantity, lanes, n):
    """Add to lanes.loss[:n]; quantity: currency per unit of relative price, float64."""
    loss, relative = lanes.loss, lanes.relative_price
    for i in range(n):
        loss[i] -= quantity * (relative[i] - 1.0)
