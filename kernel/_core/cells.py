"""Breaches counted by cells of the time grid, for summaries: no time of a path need be kept."""

from __future__ import annotations

import numpy as np

from kernel._core.jit import block


@block
def count_by_cell(breach_time, edge, first, last, chosen, breaches):
    """Add the breach times of the columns [first, last) to the cells that they fall into.

    breach_time: [tier, column] years, NaN: never; edge: [cell] up to which each cell counts, rising from 0 to the
    horizon; chosen: scratch; breaches: [tier, cell] counts, cell j holding (edge j-1, edge j] and cell 0 what is at
    time 0.
    """
    cells, width, half, one = edge.size - 1, chosen.size, 0.5, np.uint64(1)
    horizon, frequency = edge[cells], cells / np.float64(edge[cells])
    for origin in range(first, last, width):
        n = 0
        for k in range(breach_time.shape[0]):
            times, count, counted = breach_time[k], breaches[k], 0
            if k == 0:
                for i in range(origin, min(origin + width, last)):
                    chosen[counted] = i
                    counted += times[i] <= horizon  # by no branch: which paths breach cannot be foretold
            for j in range(n):
                i = chosen[j]
                chosen[counted] = i
                counted += times[i] <= horizon
            for j in range(counted):
                time = times[chosen[j]]
                # rounding moves a time by far less than half a cell: its own is this one or one of the next two
                below = np.uint64(np.int64(max(frequency * np.float64(time) - half, 0.0)))
                count[below + np.uint64(edge[below] < time) + np.uint64(edge[below + one] < time)] += 1
            n = counted  # only they can have breached the next tier
