"""How much memory there is for results, and what is said where there is too little."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.errors import InvalidInput, Problem

FEWER = "use fewer, or record='summary', which keeps none (of the command: no --plot, and a .json --output or none)"
_MEMINFO, _OWN_GROUP, _GROUPS = Path("/proc/meminfo"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2 = ("memory.max", "memory.current", "inactive_file")
_SMALL = 2**26  # bytes, for which nothing is asked: it takes as long as thousands of paths
_UNLIMITED = 2**60  # bytes; groups without a limit state the largest number of pages


def available_memory() -> int | None:
    """Return the bytes that this process can still take, or None if that is not known.

    As of Linux: memory and swap that are free or can be freed, and version 1 or 2 of control groups, as containers and
    batch systems set them, whichever have least; elsewhere all memory of the machine.
    """
    known = [bytes_left for bytes_left in (_of_machine(), *_of_groups()) if bytes_left is not None]
    return min(known) if known else None


def require_memory(needed: int, paths: int, mend: str = FEWER) -> None:
    """Refuse paths for whose results the memory does not suffice, before anything is allocated.

    Raises:
        InvalidInput: with the bytes that they would take.
    """
    available = available_memory() if needed > _SMALL else None
    if available is not None and needed > available:
        message = f"{paths:,} would take {needed:,} bytes of memory, of which {max(available, 0):,} are left: {mend}"
        raise InvalidInput([Problem("paths", message)])


@contextmanager
def memory_errors_refused() -> Iterator[None]:
    """Turn running out of memory into a refusal of the paths."""
    try:
        yield
    except MemoryError:
        raise InvalidInput([Problem("paths", f"are more than fit into memory: {FEWER}")]) from None


def _of_machine() -> int | None:
    lines = _read(_MEMINFO).splitlines()
    kibibytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines) if rest}
    if "MemAvailable" in kibibytes:
        return 1024 * (kibibytes["MemAvailable"] + kibibytes.get("SwapFree", 0))
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_groups() -> list[int | None]:
    """Return what is left of the limits of the groups of this process, and of those that they are in."""
    left = []
    for line in _read(_OWN_GROUP).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in {"", "memory"}:
            root, names = _GROUPS / controllers, _VERSION_1 if controllers else _VERSION_2
            own = root / path.strip("/")
            left += [_left(folder, *names) for folder in (own, *own.parents) if folder.is_relative_to(root)]
    return left


def _left(folder: Path, limit: str, used: str, cache: str) -> int | None:
    """Return what is left of a group's limit: files that it keeps in memory unused can be dropped."""
    most, now = _read(folder / limit).strip(), _read(folder / used).strip()
    if not (most.isdigit() and now.isdigit()) or int(most) >= _UNLIMITED:
        return None
    pairs = (line.split() for line in _read(folder / "memory.stat").splitlines())
    return int(most) - int(now) + next((int(pair[1]) for pair in pairs if pair[0] == cache), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
