"""Outputs: whole or not at all, with the mode that they had, wherever they can be written at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import kernel
from kernel.files import write_text
from kernel.tables import check_output, write_table

NOBODY = 65_534


@pytest.fixture
def locked() -> Iterator[Path]:
    """Return a folder that takes no new files, with a file in it that can be written; not as the superuser."""
    folder = Path(tempfile.mkdtemp())  # the tests' own are below a folder for this user alone
    (folder / "out.csv").write_text("as before, and longer than what comes\n" * 9, encoding="utf-8")
    (folder / "out.csv").chmod(0o666)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_folder_that_takes_no_files_may_hold_one_that_can_be_written(locked: Path) -> None:
    """The file is written in its place; nothing is left of what it held, and checking alone changes nothing."""
    path, before = locked / "out.csv", (locked / "out.csv").read_bytes()
    check_output(path)
    assert path.read_bytes() == before
    write_text("new\n", path)
    assert path.read_text(encoding="utf-8") == "new\n"
    write_table(pa.table({"a": [1.0, 2.0]}), path)
    assert pyarrow.csv.read_csv(path)["a"].to_pylist() == [1.0, 2.0]
    with pytest.raises(kernel.InvalidInput, match=r"new\.csv cannot be written: Permission denied"):
        check_output(locked / "new.csv")
    with pytest.raises(kernel.InvalidInput, match=r"new\.csv cannot be written: Permission denied"):
        write_text("new", locked / "new.csv")
    assert [one.name for one in locked.iterdir()] == ["out.csv"]


def test_a_mounted_file_is_written_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot be replaced, as one that a container mounts, its content is; no other file is left."""

    def busy(self: Path, target: Path) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy", str(self), None, str(target))

    path = tmp_path / "out.parquet"
    path.write_bytes(bytes(100_000))
    inode = path.stat().st_ino
    monkeypatch.setattr(Path, "replace", busy)
    write_table(pa.table({"a": [1.0, 2.0]}), path)
    assert pyarrow.parquet.read_table(path)["a"].to_pylist() == [1.0, 2.0]
    assert path.stat().st_ino == inode
    with pytest.raises(kernel.InvalidInput, match="cannot be written: Device or resource busy"):
        write_text("new", tmp_path / "new.json")
    assert [one.name for one in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_files_mode_stays(tmp_path: Path, mode: int) -> None:
    """A file that is replaced keeps who may read and write it."""
    path = tmp_path / "out.json"
    path.touch()
    path.chmod(mode)
    write_text("new", path)
    assert (stat.S_IMODE(path.stat().st_mode), path.read_text(encoding="utf-8")) == (mode, "new")


def test_a_new_file_has_the_mode_of_any(tmp_path: Path) -> None:
    """A new file is as open as the user's other new files."""
    before = os.umask(0o027)
    try:
        write_text("new", tmp_path / "out.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.json").stat().st_mode) == 0o640


def test_a_name_as_long_as_names_may_be_can_be_written(tmp_path: Path) -> None:
    """The file beside it, which takes its place, has a short name."""
    path = tmp_path / f"{'n' * 250}.csv"
    write_text("new", path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_what_fails_half_way_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """A table that cannot be written changes nothing, and leaves no part of itself."""
    path = tmp_path / "out.csv"
    write_text("before", path)
    nested = pa.table({"a": [1], "b": [[{"c": 2}]]})
    with pytest.raises(pa.ArrowException):
        write_table(nested, path)
    assert path.read_text(encoding="utf-8") == "before"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.parametrize("name", ["OUT.CSV", "Out.Parquet"])
def test_suffixes_may_be_of_any_case(tmp_path: Path, name: str) -> None:
    """The form of a file goes by its suffix, in capitals or not."""
    path = tmp_path / name
    check_output(path)
    write_table(pa.table({"a": [1.0, 2.0]}), path)
    read = pyarrow.csv.read_csv if name == "OUT.CSV" else pyarrow.parquet.read_table
    assert read(path)["a"].to_pylist() == [1.0, 2.0]
