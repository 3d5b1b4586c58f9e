"""Small price files in the forms that people have: texts of bars and closes, and a reader of what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel import InvalidInput, read_prices

Write = Callable[..., Path]
START = datetime(2020, 1, 1)  # noqa: DTZ001 - files mostly state no zone
CLOSES = [round(100 * math.exp(0.02 * one), 2) for one in np.random.default_rng(5).normal(size=60).cumsum()]
OPENS = [100.0, *CLOSES[:-1]]
HIGHS = [round(max(pair) + 0.25 + k % 3 / 4, 2) for k, pair in enumerate(zip(OPENS, CLOSES, strict=True))]
LOWS = [round(min(pair) - 0.25 - k % 5 / 4, 2) for k, pair in enumerate(zip(OPENS, CLOSES, strict=True))]
DAYS = [START + timedelta(days=k) for k in range(60)]
HOURS = [START + timedelta(hours=k) for k in range(60)]
EPOCHS = [int(one.replace(tzinfo=UTC).timestamp()) for one in HOURS]
DAY_EPOCHS = [int(one.replace(tzinfo=UTC).timestamp()) for one in DAYS]


def table(header: str, row: Callable[[int], str], rows: Sequence[int] = range(60)) -> str:
    """Write a header, if any, and a line for each row."""
    return "\n".join([*([header] if header else []), *map(row, rows)]) + "\n"


def csv(times: Sequence[Any], closes: Sequence[Any] = CLOSES, header: str = "date,close") -> str:
    """Write times and closes."""
    size = min(len(times), len(closes))
    return table(header, lambda k: f"{times[k]},{closes[k]}", range(size))


def daily(closes: Sequence[Any] = CLOSES, header: str = "date,close") -> str:
    """Write closes of days."""
    return csv([one.date() for one in DAYS], closes, header)


def bars(times: Sequence[Any], header: str, symbol: str = "") -> str:
    """Write bars as exchanges do: open the close before, high and low beyond both, some volume."""
    return table(
        header,
        lambda k: f"{times[k]},{symbol}{OPENS[k]},{HIGHS[k]},{LOWS[k]},{CLOSES[k]},{10 + k}",
        range(min(len(times), 60)),
    )


def refused(source: Any, **changes: Any) -> dict[str, str]:
    """Return what a source is refused for, by field."""
    with pytest.raises(InvalidInput) as raised:
        read_prices(source, **changes)
    return {problem.field: problem.message for problem in raised.value.problems}
