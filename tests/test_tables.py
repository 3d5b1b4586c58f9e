"""Tables out, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from kernel.errors import InvalidInput
from kernel.files import write_text
from kernel.simulation.path_outcome import PathOutcome
from kernel.tables import check_output, write_table
from tests.cases import GBM, run

NAN = float("nan")


def _outcome(**changes: Any) -> PathOutcome:
    arrays = {
        "loss": np.array([1.0, -2.0], np.float32),
        "terminal_price": np.array([[10.0, 11.0], [20.0, 21.0]], np.float32),
        "breach_time": np.array([[0.25, NAN]], np.float32),
    }
    about = {"paths": 2, "horizon": 1.0, "assets": ("BTC", "ETH"), "tiers": ("call",), "opening_equity": 5.0}
    return PathOutcome(**{**about, "provenance": {"seed": 7}, **arrays, **changes})


def test_table_has_a_column_for_each_result() -> None:
    """An outcome's table holds losses, closing prices by asset and breach times by tier, null for never."""
    table = _outcome().to_arrow()
    assert table.column_names == ["loss", "terminal_price.BTC", "terminal_price.ETH", "breach_time.call"]
    assert table["breach_time.call"].to_pylist() == [0.25, None]
    assert table["terminal_price.ETH"].to_pylist() == [20.0, 21.0]
    assert json.loads(table.schema.metadata[b"margin_kernel"]) == {"seed": 7}


def test_summaries_have_no_table() -> None:
    """A summary is refused with what to do instead."""
    with pytest.raises(InvalidInput, match='record="paths"'):
        run(GBM, paths=100, record="summary").to_arrow()


def test_parquet_and_csv_read_back(tmp_path: Path) -> None:
    """What is written reads back: in Parquet with its provenance, in CSV with empty cells for never."""
    table = _outcome().to_arrow()
    write_table(table, tmp_path / "out.parquet")
    write_table(table, tmp_path / "out.csv")
    read = pa.parquet.read_table(tmp_path / "out.parquet")
    assert read.equals(table, check_metadata=True)
    assert pa.csv.read_csv(tmp_path / "out.csv")["breach_time.call"].to_pylist() == [0.25, None]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_write_that_stops_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException | type[BaseException]
) -> None:
    """An interrupt or a full disk in the middle leaves the old file, and no other."""
    path = tmp_path / "out.parquet"
    path.write_text("old", encoding="utf-8")

    def _stop(_: Any, file: Any) -> None:
        file.write(b"half")
        raise stop

    monkeypatch.setattr(pa.parquet, "write_table", _stop)
    with pytest.raises((KeyboardInterrupt, InvalidInput)):
        write_table(_outcome().to_arrow(), path)
    assert {one.name: one.read_text(encoding="utf-8") for one in tmp_path.iterdir()} == {"out.parquet": "old"}


def test_texts_replace_the_file_that_a_link_names(tmp_path: Path) -> None:
    """Writing through a link changes its target and keeps the link."""
    (tmp_path / "real.json").write_text("old", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("real.json")
    write_text("new", tmp_path / "link.json")
    assert (tmp_path / "real.json").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "link.json").is_symlink()


def test_files_have_the_usual_permissions(tmp_path: Path) -> None:
    """A written file is readable by whom a plain file would be."""
    (tmp_path / "plain").touch()
    write_text("new", tmp_path / "out.json")
    assert (tmp_path / "plain").stat().st_mode == (tmp_path / "out.json").stat().st_mode


def test_other_tables_are_refused(tmp_path: Path) -> None:
    """A table goes to Parquet or CSV alone."""
    with pytest.raises(InvalidInput, match=r"\.parquet or \.csv"):
        write_table(_outcome().to_arrow(), tmp_path / "out.xlsx")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/out.csv", "there is no folder"),
        ("folder.csv", "is a folder"),
        ("out.xlsx", "must end in .parquet or .csv or .json"),
        ("out", "must end in"),
        (f"{'x' * 300}.csv", "too long"),
        ("read.csv", "choose another name"),
    ],
)
def test_unwritable_outputs_are_refused_beforehand(tmp_path: Path, name: str, message: str) -> None:
    """A path that cannot be written is refused with the reason, and nothing is left there."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInput, match=message):
        check_output(tmp_path / name, spared=[tmp_path / "read.csv"])
    assert [one.name for one in tmp_path.iterdir()] == ["folder.csv"]


def test_writable_outputs_are_left_alone(tmp_path: Path) -> None:
    """Checking a path leaves neither a file nor a change."""
    (tmp_path / "there.csv").write_text("old", encoding="utf-8")
    check_output(tmp_path / "new.json")
    check_output(tmp_path / "there.csv")
    assert {one.name: one.read_text(encoding="utf-8") for one in tmp_path.iterdir()} == {"there.csv": "old"}


def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    """A pipe, or a device that a link leads to, is refused and stays what it is."""
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    (tmp_path / "link.json").symlink_to(pipe)
    for name in ("pipe.json", "link.json"):
        with pytest.raises(InvalidInput, match="is a device or a pipe, not a file"):
            write_text("{}", tmp_path / name)
    assert pipe.is_fifo()
