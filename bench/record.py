"""Add this machine's row to those that `margin bench` shows, in the place of an earlier one of the same machine.

margin bench --output row.json && python -m bench.record row.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from kernel.benchmark import MEASURES, SCHEMA

RECORDED = Path(__file__).parents[1] / "kernel" / "benchmark" / "recorded.json"


def record(row: dict[str, Any], recorded: Path = RECORDED) -> None:
    """Write a row into the file of recorded machines.

    Raises:
        SystemExit: for what `margin bench` did not write, or another version of it did.
    """
    if (row.get("schema"), set(row.get("measures", {}))) != (SCHEMA, set(MEASURES)):
        raise SystemExit("error: the file is not what this version of `margin bench --output` writes")
    rows = json.loads(recorded.read_text()) if recorded.exists() else []
    others = [one for one in rows if one["machine"] != row["machine"]]
    recorded.write_text(json.dumps([*others, row], indent=2, allow_nan=False) + "\n")


if __name__ == "__main__":
    record(json.loads(Path(sys.argv[1]).read_text()))
