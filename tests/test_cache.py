"""Compiled kernels on disk: whole and of this user, or compiled anew."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel._core import cache
from kernel._core.cache import KernelCache, choose_folder, entries
from kernel._core.jit import entry

STRANGER = 54_321  # a user who does not exist


def scale(x: Any, by: float) -> None:
    """Multiply in place."""
    for i in range(x.size):
        x[i] *= by


def ran(folder: Path, real: type = np.float64) -> tuple[list[float], int]:
    """Run the kernel as a fresh process would; return its numbers and how often it was loaded from the folder."""
    dispatcher = entry(scale)
    dispatcher._cache = KernelCache(scale, folder)  # noqa: SLF001 - as `kernel` does
    x = np.arange(4, dtype=real)
    dispatcher(x, 2.0)
    return x.tolist(), sum(dispatcher.stats.cache_hits.values())


RIGHT = [0.0, 2.0, 4.0, 6.0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the compiled kernel."""
    chosen, reason = choose_folder([tmp_path / "base" / "numba-0"])
    assert (reason, chosen is not None) == ("", True)
    assert chosen is not None
    assert ran(chosen) == (RIGHT, 0)
    assert ran(chosen) == (RIGHT, 1)
    return chosen


def _flip(content: bytes, place: float) -> bytes:
    at = int(place * (len(content) - 1))
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


PLACES = np.linspace(0.0, 1.0, 20).tolist()
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    **{f"flipped at {place:.2f}": (lambda content, p=place: _flip(content, p)) for place in PLACES},
    **{f"cut at {place:.2f}": (lambda content, p=place: content[: int(p * (len(content) - 1))]) for place in PLACES},
    "empty": lambda _: b"",
    "of zeros": lambda content: bytes(len(content)),
    "a text": lambda _: b"not a kernel\n",
    "twice": lambda content: content + content,
    "longer": lambda content: content + b"\0",
    "without its digest": lambda content: content[32:],
    "the digest alone": lambda content: content[:32],
    "a block of zeros": lambda content: content[:512] + bytes(512) + content[1024:],
    "another pickle": lambda _: b"\x80\x04K\x01.",
    "reversed": lambda content: content[::-1],
}


def test_fifty_kinds_of_damage_are_compiled_anew(folder: Path) -> None:
    """A damaged file gives the right answer with one warning, and is replaced by a whole one."""
    assert len(DAMAGES) == 50
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for damage in DAMAGES.values():
        path.write_bytes(damage(whole))
        with pytest.warns(RuntimeWarning, match="is damaged: compiled anew") as told:
            assert ran(folder) == (RIGHT, 0)
        assert len(told) == 1
        assert ran(folder) == (RIGHT, 1)


def test_a_file_that_cannot_be_read_is_compiled_anew(folder: Path) -> None:
    """A folder where the file should be is neither read nor written: a warning for each, and the right answer."""
    (path,) = folder.iterdir()
    path.unlink()
    path.mkdir()
    with pytest.warns(RuntimeWarning, match="cannot be") as told:
        assert ran(folder) == (RIGHT, 0)
    assert len(told) == 2
    assert list(folder.iterdir()) == [path]


def test_a_kernel_under_the_name_of_another_is_not_used(folder: Path) -> None:
    """Whole files that were moved about are noticed: that of single precision does not serve double."""
    assert ran(folder, np.float32) == (RIGHT, 0)
    one, other = folder.iterdir()
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    with pytest.warns(RuntimeWarning, match="is not what its name says"):
        assert ran(folder) == (RIGHT, 0)


def test_a_full_disk_loses_no_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is said, works in this process, and leaves no half file."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(RuntimeWarning, match="cannot be written"):
        assert ran(folder, np.float32) == (RIGHT, 0)
    assert len(list(folder.iterdir())) == 1


def test_a_full_cache_serves_where_nothing_can_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder is used if it holds kernels, and passed over if it holds none."""
    empty = folder.parent / "empty"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert choose_folder([empty, folder]) == (folder, "")
    assert choose_folder([empty]) == (None, f"{empty} cannot be written")


def test_folders_are_this_users_alone(folder: Path) -> None:
    """The folder and the one that it is in are made for nobody else, whatever the mask."""
    assert [each.stat().st_mode & 0o777 for each in (folder, folder.parent)] == [0o700, 0o700]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users as Unix has them")
@pytest.mark.parametrize(
    ("which", "mode", "reason"),
    [
        ("leaf", 0o770, "other users may write to"),
        ("leaf", 0o1777, "other users may write to"),
        ("base", 0o777, "other users may write to"),
        ("base", 0o1777, ""),  # as /tmp is
        ("base", 0o755, ""),
        ("leaf", 0o755, ""),
    ],
)
def test_a_folder_that_others_may_write_is_not_used(folder: Path, which: str, mode: int, reason: str) -> None:
    """Nor is one in a folder whose entries others may rename; the reason names the folder."""
    changed = folder if which == "leaf" else folder.parent
    changed.chmod(mode)
    chosen, told = choose_folder([folder])
    assert (chosen is None) == bool(reason)
    assert reason in told
    assert not reason or str(changed) in told


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users as Unix has them")
def test_a_folder_of_another_user_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another user owns, also behind a link, is passed over for the next folder."""
    if os.geteuid() == 0:
        os.chown(folder, STRANGER, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    link = folder.parent / "link"
    link.symlink_to(folder)
    for place in (folder, link):
        chosen, told = choose_folder([place])
        assert chosen is None
        assert "belongs to another user" in told


def test_a_planted_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """A file is written beside its place and moved there: what a link in its place points to stays as it was."""
    (path,) = folder.iterdir()
    precious = tmp_path / "precious"
    precious.write_text("all I have", encoding="utf-8")
    path.unlink()
    path.symlink_to(precious)
    with pytest.warns(RuntimeWarning, match="is damaged"):
        assert ran(folder) == (RIGHT, 0)
    assert precious.read_text(encoding="utf-8") == "all I have"
    assert not path.is_symlink()


def test_no_folder_at_all_means_compiling(tmp_path: Path) -> None:
    """Where a folder cannot be made the reason says what stands in its place."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    chosen, told = choose_folder([tmp_path / "file" / "numba-0"])
    assert (chosen, told.partition(" cannot be made: ")[0]) == (None, str(tmp_path / "file" / "numba-0"))
    assert choose_folder([]) == (None, "")


def test_nothing_warns_where_nothing_is_wrong(folder: Path) -> None:
    """A whole file is loaded without a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ran(folder) == (RIGHT, 1)
    assert entries(folder)
    assert cache.SUFFIX == ".code"
