"""What happened between two points of a path: which tiers were breached, and when.

Given its ends a > 0 and c, in units of the segment's standard deviation, the lowest point of a Brownian bridge is
(a + c - sqrt((c - a)**2 + 4 e)) / 2 with e exponential of mean 1/2. The walk draws e, so which tiers a segment
breaches is known at once. The times are drawn here, later and in batches, deepest first: the time of the lowest
point given the ends, then each passage given the next deeper one. Each is the law of a first passage time given
the sum of it and an independent one, the bridge of an inverse Gaussian process.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from kernel._core.jit import block, point
from kernel._core.noise import ALL_ASSETS, PASSAGE, draw_words
from kernel._core.special import box_muller, uniform


@cache
def passages_dtype(real: np.dtype[Any], width: int) -> np.dtype[np.void]:
    """Describe the queue of segments that breached tiers in continuous time and wait for their times."""
    fields = [
        ("path", np.uint64),
        ("first", np.int64),  # first and last tier breached
        ("last", np.int64),
        ("start", np.float64),  # years
        ("stop", np.float64),
        ("fall", real),  # from the start to the lowest point, in standard deviations of the segment
        ("rise", real),  # from the lowest point to the end
        ("fraction", real),  # of the segment, at which the next deeper point is reached
        ("target", real),  # depth of tier `last`
        ("moment", np.uint64),
        ("kept", np.int64),  # scratch: columns that stay
    ]
    words = ("words", np.uint32, (4, width))
    return np.dtype([("count", np.int64), *((name, kind, (width,)) for name, kind in fields), words], align=True)


@point
def _passage_time(a, c, total, normal, u):
    """Draw T1 given T1 + T2 = total, for independent first passage times T1, T2 of levels a, c >= 0.

    With w = T1 / T2, (a - c w)**2 / (w total) is chi-squared(1): solve for w and choose between its two roots, as
    Ribeiro and Webber (2003), "Valuing path-dependent options in the variance-gamma model by Monte Carlo with a
    gamma bridge", do for the inverse Gaussian bridge; here in a form that allows a = 0 and c = 0.
    """
    one = total * 0 + 1
    tiny = one * np.float32(1e-30)
    chance = normal * normal * total
    linear = a * c + a * c + chance
    upper = linear + math.sqrt(chance * (chance + (a * c + a * c) + (a * c + a * c)))
    early = min((a * a + a * a) / (upper + tiny), one / tiny)  # the smaller root w1; the larger is (a / c)**2 / w1
    late = c * c * early
    share = a * c * (one + early) / ((a + c) * (a + c * early) + tiny)  # P(w = w1)
    small, large = early / (one + early), a * a / (a * a + late + tiny)
    return total * (small if u < share else large)


@block
def _draw_fractions(queue, first, n):
    """Move fraction[:n] from the next deeper point to tier `last`; first: that point is the lowest one."""
    words, fraction, fall, rise, target = queue.words, queue.fraction, queue.fall, queue.rise, queue.target
    zero, one = fraction.dtype.type(0), fraction.dtype.type(1)
    if first:
        for i in range(n):
            _, normal = box_muller(words[0, i], words[1, i], one)
            fraction[i] = _passage_time(fall[i], rise[i], one, normal, uniform(words[3, i], one))
    for i in range(n):
        normal, _ = box_muller(words[0, i], words[1, i], one)
        rest = max(fall[i] - target[i], zero)
        fraction[i] = _passage_time(target[i], rest, fraction[i], normal, uniform(words[2, i], one))
        fall[i] = target[i]


@block
def _write_times(queue, offset, breach):
    """Write the drawn time of each passage's deepest tier; list in `kept` those that have shallower ones."""
    path, first, last = queue.path, queue.first, queue.last
    fraction, start, stop = queue.fraction, queue.start, queue.stop
    kept, count = queue.kept, 0
    for i in range(queue.count):
        time = start[i] + (stop[i] - start[i]) * np.float64(fraction[i])
        breach[last[i], np.int64(path[i]) - offset] = min(time, stop[i])
        kept[count] = i
        count += last[i] > first[i]
    return count


@block
def _close_ranks(queue, depth, n):
    """Move the n listed passages to the front, one tier up."""
    kept, fraction, fall = queue.kept, queue.fraction, queue.fall
    path, first, last, start, stop = queue.path, queue.first, queue.last, queue.start, queue.stop
    deepest = 0
    for j in range(n):
        i = kept[j]
        path[j], first[j], last[j], start[j], stop[j] = path[i], first[i], last[i] - 1, start[i], stop[i]
        fraction[j], fall[j] = fraction[i], fall[i]
        deepest = max(deepest, last[j])
    for k in range(deepest + 1):
        row = depth[k]
        for j in range(n):
            row[j] = row[kept[j]]


@block
def resolve(queue, depth, seed, offset, breach):
    """Draw every waiting breach time into breach[tier, path - offset] and empty the queue."""
    last, moment, target, first = queue.last, queue.moment, queue.target, np.bool_(True)
    while queue.count > 0:
        n = queue.count
        for i in range(n):
            moment[i], target[i] = np.uint64(last[i]), depth[last[i], i]
        draw_words(seed, queue.path, moment, ALL_ASSETS, PASSAGE, n, queue.words)
        _draw_fractions(queue, first, n)
        queue.count, first = _write_times(queue, offset, breach), np.bool_(False)
        _close_ranks(queue, depth, queue.count)
