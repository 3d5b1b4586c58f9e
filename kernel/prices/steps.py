"""How far apart prices are: the usual step, closures of the market, gaps."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernel import checks
from kernel.checks.text import counted, duration, was
from kernel.errors import Problems
from kernel.prices.panel import Panel
from kernel.prices.splits import likely_splits
from kernel.prices.times import Times, written

_LONG = 1.5  # medians: a step beyond it is not the usual one
_OFTEN = 0.05  # of the steps: what is missing that often is not missing but closed
_CLOSED = 7  # medians, or usual closures: a step beyond it is a gap even so
_SHORT = 2 / 3  # medians
_MOST_SHORT = 0.1  # of the steps
_LARGE_MOVE = 3.0
_LARGEST_MOVE = 50.0
_MOST_SHOWN = 1e300
_FEWEST_RETURNS = 2
_YEAR = np.timedelta64(365, "D") / np.timedelta64(1, "us")


def longest_step(problems: Problems, max_gap: float | str | None) -> float:
    """Return a stated gap in microseconds, NaN for none."""
    if max_gap is None:
        return math.nan
    return float(np.rint(_YEAR * checks.years(problems, "max_gap", max_gap, above=0, at_most=1_000)))


def find_gaps(
    problems: Problems, notes: list[str], panel: Panel, spans: NDArray[np.bool_], longest: float
) -> tuple[NDArray[np.bool_], float]:
    """Return the steps over which no return is taken, and the mean of the others in years.

    Args:
        problems: takes steps that are uneven, or too few.
        notes: takes what was found.
        panel: complete; at least two rows.
        spans: steps over rows that were left out.
        longest: the longest step that is no gap; NaN: to be found out.
    """
    steps = np.diff(panel.times).astype(np.int64).astype(np.float64)
    own = steps if spans.all() else steps[~spans]
    median = float(np.median(own))
    limit = _limit(own, median) if math.isnan(longest) else longest
    gaps = (steps > limit) | (spans & math.isnan(longest))
    kept = steps[~gaps]
    if kept.size < _FEWEST_RETURNS:
        message = f"only {kept.size} of {steps.size} steps are at most {_written(limit)} long: state a longer max_gap"
        problems.add("max_gap", f"{panel.name}: {message}")
        return gaps, math.nan
    _look_at_short(problems, notes, panel.name, steps, median)
    if (kept > _LONG * median).any():
        notes.append(_of_closures(kept, median))
    if gaps.any():
        notes.append(_of_gaps(panel.times, steps, gaps, limit))
    return gaps, float(kept.mean() / _YEAR)


def _limit(steps: NDArray[np.float64], median: float) -> float:
    """Return the longest step that is no gap: beyond it are few, or what is closed for once, not for the night."""
    limit = _LONG * median
    if (steps > limit).mean() <= _OFTEN:
        return limit
    limit = _CLOSED * median
    if (steps > limit).mean() <= _OFTEN:
        return limit
    return _CLOSED * float(np.median(steps[steps > limit]))  # bars within the day: nights are as usual as bars


def check_moves(problems: Problems, notes: list[str], panel: Panel) -> None:
    """Refuse moves by a factor that only another unit explains; note those that a market seldom makes, and splits."""
    moves = np.abs(np.diff(np.log(panel.prices), axis=0))
    for asset, name in enumerate(panel.assets):
        splits = {split.step: split.shares for split in likely_splits(panel.prices[:, asset])}
        notes += [_of_split(panel, asset, step, shares) for step, shares in splits.items()]
        own = moves[:, asset]
        largest = float(own.max(initial=0.0))
        bad = own > math.log(_LARGEST_MOVE if largest > math.log(_LARGEST_MOVE) else _LARGE_MOVE)
        bad[list(splits)] &= largest > math.log(_LARGEST_MOVE)
        if not bad.any():
            continue
        k = int(bad.argmax())
        what = f"{name} moves by a factor of {_factor(float(own[k]))} {_where(panel, asset, k)}"
        more = f", and {counted(int(bad.sum()) - 1, 'time')} more like it" if bad.sum() > 1 else ""
        if largest > math.log(_LARGEST_MOVE):
            mend = "are its units the same? mend the file, or choose first and last"
            problems.add("history", f"{panel.files[asset]}: {what}{more}: {mend}")
        else:
            notes.append(f"{what}{more}: are its units the same?")


def _factor(move: float) -> str:
    """Write the factor of a logarithmic move, which may be beyond what a double holds."""
    return f"{math.exp(move):,.3g}" if move < math.log(_MOST_SHOWN) else f"1e{move / math.log(10):.0f}"


def _of_split(panel: Panel, asset: int, step: int, shares: str) -> str:
    factor = panel.prices[step + 1, asset] / panel.prices[step, asset]
    what = f"{panel.assets[asset]} is multiplied by {factor:.3g} {_where(panel, asset, step)}"
    return f"{what}, as by a split of {shares} that its prices are not adjusted for: are its units the same?"


def _where(panel: Panel, asset: int, step: int) -> str:
    return f"from {panel.noun} {panel.number[step, asset]} to {panel.number[step + 1, asset]}"


def _look_at_short(problems: Problems, notes: list[str], name: str, steps: NDArray[np.float64], median: float) -> None:
    short = steps < _SHORT * median
    if not short.any():
        return
    count = f"{short.sum():,} of {steps.size:,}"
    what = f"much shorter than the usual {_written(median)}, down to {_written(steps.min())}"
    if short.mean() > _MOST_SHORT:
        problems.add("time", f"{name}: its steps are uneven: {count} are {what}: bring the file to one step")
    else:
        notes.append(f"{count} steps {was(int(short.sum()))} {what}: each counts as one step.")


def _of_closures(kept: NDArray[np.float64], median: float) -> str:
    share = f"{100 * (kept > _LONG * median).mean():.2g}% of the steps are longer than the usual {_written(median)}"
    what = f"{share}, up to {_written(kept.max())}, as of a market that closes"
    return f"{what}: each counts as one step, of {_written(kept.mean())} on average."


def _of_gaps(times: Times, steps: NDArray[np.float64], gaps: NDArray[np.bool_], limit: float) -> str:
    k = int(np.where(gaps, steps, 0).argmax())
    longest = f"{_written(steps[k])} from {written(times[k])} to {written(times[k + 1])}"
    many = f"{counted(int(gaps.sum()), 'gap')}, over which no return is taken"
    if (steps[gaps] > limit).all():
        many = f"{counted(int(gaps.sum()), 'step')} longer than {_written(limit)}, over which no return is taken"
    return f"There {'is' if gaps.sum() == 1 else 'are'} {many}: the longest is {longest}."


def _written(step: float) -> str:
    return duration(float(step) / _YEAR)
