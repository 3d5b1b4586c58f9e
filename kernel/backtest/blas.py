"""One thread for the linear algebra of NumPy and SciPy, while many small fits are made."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

_SUFFIXES = ("", "64_")  # of 32-bit and of 64-bit integers


class _Library(NamedTuple):
    """OpenBLAS, as the wheels of NumPy and of SciPy bring it."""

    threads: Any
    set_threads: Any


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let OpenBLAS use one thread, and afterwards as many as before; other libraries are left alone.

    A search for seven parameters wakes OpenBLAS's threads hundreds of times for matrices of ten rows, and they go on
    spinning for a while: on two busy processors a backtest of 1,500 days took 62 to 116 seconds with them, and 26 to 40
    without. The setting is the process's.

    Example:
        >>> with one_blas_thread():
        ...     pass
    """
    libraries = _libraries()
    before = [library.threads() for library in libraries]
    try:
        for library in libraries:
            library.set_threads(1)
        yield
    finally:
        for library, count in zip(libraries, before, strict=True):
            library.set_threads(count)


def _libraries() -> list[_Library]:
    """Find those beside the packages; opening one that is loaded already gives the same."""
    found = []
    for package in ("numpy", "scipy"):
        spec = importlib.util.find_spec(package)
        folder = Path(spec.origin).parents[1] / f"{package}.libs" if spec and spec.origin else Path()
        for path in sorted(folder.glob("*openblas*")):
            with suppress(OSError, AttributeError):
                found.append(_library(ctypes.CDLL(str(path))))
    return found


def _library(opened: Any) -> _Library:
    """Return the functions under the name that this build has for them.

    Raises:
        AttributeError: if it has none.
    """
    suffix = next((one for one in _SUFFIXES if hasattr(opened, f"scipy_openblas_get_num_threads{one}")), "")
    names = (f"scipy_openblas_{verb}_num_threads{suffix}" for verb in ("get", "set"))
    return _Library(*(getattr(opened, name) for name in names))
