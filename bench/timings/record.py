"""Add this machine's row to those that `margin bench` shows, in the place of an earlier one of the same machine.

margin bench --output row.json && python -m bench.timings.record row.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from kernel.benchmark import MEASURES, SCHEMA

RECORDED = Path(__file__).parents[2] / "kernel" / "benchmark" / "recorded.json"
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_EXACTLY = ConfigDict(extra="forbid", strict=True)


class Spread(BaseModel):
    """A measure."""

    model_config = _EXACTLY
    unit: str
    median: Above0
    low: Above0
    high: Above0


class Machine(BaseModel):
    """A machine."""

    model_config = _EXACTLY
    processor: str
    processors: PositiveInt
    system: str


class Row(BaseModel):
    """What `margin bench --output` writes."""

    model_config = _EXACTLY
    schema_version: Literal[SCHEMA] = Field(alias="schema")
    date: str
    machine: Machine
    versions: dict[str, str]
    preparing_seconds: Annotated[float, Field(ge=0)]
    rounds: PositiveInt
    measures: dict[str, Spread]


def record(row: Any, recorded: Path = RECORDED) -> None:
    """Write a row into the file of recorded machines.

    Raises:
        ValueError: for what `margin bench` did not write, or another version of it did.
    """
    try:
        checked = Row.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None
    if set(checked.measures) != set(MEASURES):
        raise ValueError(f"measures: has to have {', '.join(MEASURES)}")
    if checked.versions.get("margin-kernel", "unknown") == "unknown":
        raise ValueError("versions: of margin-kernel is not known: install it, so that the row tells what was measured")
    rows = json.loads(recorded.read_text(encoding="utf-8")) if recorded.exists() else []
    others = [one for one in rows if one["machine"] != row["machine"]]
    recorded.write_text(json.dumps([*others, row], indent=2, allow_nan=False) + "\n", encoding="utf-8")


def main() -> None:
    """Record the row of a file."""
    parser = argparse.ArgumentParser(prog="python -m bench.timings.record", description=__doc__.partition("\n")[0])
    parser.add_argument("row", type=Path, help="what `margin bench --output` wrote")
    path = parser.parse_args().row
    try:
        record(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        parser.error(f"{path} cannot be read: {error.strerror}")
    except ValueError as error:  # JSON's and Unicode's are ValueErrors
        parser.error(f"{path} is not what this version of `margin bench --output` writes: {error}")


if __name__ == "__main__":
    main()
