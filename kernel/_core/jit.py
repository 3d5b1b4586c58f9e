"""Compile options, the cache folder, and dispatch on struct types: the only compile settings of the project."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from numba import njit
from numba.core import config as _config
from numba.core import event
from numba.extending import overload

from kernel._core.cache import KernelCache, choose_folder
from kernel._core.compiler import InnerCompiler, KernelCompiler
from kernel.errors import InvalidInput, Problem

# No fastmath at all: every operation is rounded as IEEE 754 says, fused only where the code says `fma`. So a
# lane has the same bits in a vector body, in a remainder loop, on AVX2, AVX-512 or NEON.
_OPTIONS: Any = {"error_model": "numpy"}
# Inner functions have no wrappers to be called from Python, which would take a quarter of the compile time: such a
# call crashes the interpreter. Tests reach them through an `entry` of their own.
INNER: Any = {**_OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": InnerCompiler}
ENTRY: Any = {**_OPTIONS, "nogil": True, "no_cfunc_wrapper": True, "pipeline_class": KernelCompiler}
INLINE: Any = {**INNER, "forceinline": True}

Body = TypeVar("Body", bound=Callable[..., Any])
_PACKAGE = Path(__file__).parents[1]
COMPILED = ("_core", "markets", "accounts")  # the folders whose sources become machine code
_COMPILES, _PREPARES = "numba:compile", "numba:compiler_lock"  # events: the latter of loading from a cache too
_taken: dict[tuple[str, str], type] = {}

point = njit(**INLINE)  # acts on one lane: must be inlined before the loop vectoriser runs
block = njit(**INNER)  # owns a loop over lanes
entry = njit(**ENTRY)  # is called from Python; compiled in every process


config: Any = _config  # its settings are made at run time
if config.DISABLE_JIT:
    raise InvalidInput([Problem("NUMBA_DISABLE_JIT", "is set, and the kernels only run compiled: unset it")])


def source_digest() -> str:
    """Name the state of every source that is compiled: Numba itself watches only the file of the entry kernel."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(path for folder in COMPILED for path in (_PACKAGE / folder).rglob("*.py")):
        digest.update(str(path.relative_to(_PACKAGE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _folders() -> list[Path]:
    """Return where compiled kernels may be kept, the best place first."""
    name = f"numba-{source_digest()}"
    if config.CACHE_DIR:
        return [Path(config.CACHE_DIR).absolute() / name]
    stated = os.environ.get("XDG_CACHE_HOME", "")
    with suppress(RuntimeError):  # this user has no home folder
        stated = stated if Path(stated).is_absolute() else str(Path.home() / ".cache")
    users = [Path(stated) / "margin-kernel" / name] if stated else []
    return [_PACKAGE / "__pycache__" / name, *users]


CACHE_FOLDER, WHY_NO_CACHE = choose_folder(_folders())


def kernel(body: Callable[..., Any]) -> Any:
    """Compile an entry kernel: the GIL released, the machine code kept on disk."""
    dispatcher = entry(body)
    if CACHE_FOLDER is not None:
        dispatcher._cache = KernelCache(body, CACHE_FOLDER)
    return dispatcher


def implements(operation: Callable[..., Any], struct: type) -> Callable[[Body], Body]:
    """Register a body as `operation` for a struct: the compiler picks it by the type of the first argument.

    Numba tells NamedTuples of equal fields apart by their name alone, so a name is taken once.
    """
    key = operation.__qualname__, struct.__name__
    if _taken.setdefault(key, struct) is not struct:
        raise TypeError(f"{struct.__name__} already names a struct in {_taken[key].__module__}")

    def register(body: Body) -> Body:
        def choose(*args: Any) -> Body | None:
            return body if getattr(args[0], "instance_class", None) is struct else None

        overload(operation, strict=False, jit_options=INNER)(choose)
        return body

    return register


def default(operation: Callable[..., Any]) -> Callable[[Body], Body]:
    """Register a body as `operation` for the structs that no other body is registered for."""

    def register(body: Body) -> Body:
        def choose(*args: Any) -> Body | None:
            struct = getattr(args[0], "instance_class", None)
            return None if struct is None or (operation.__qualname__, struct.__name__) in _taken else body

        overload(operation, strict=False, jit_options=INNER)(choose)
        return body

    return register


class Preparing(event.Listener):
    """What it took to compile kernels, or to load them from the cache, since it listens."""

    def __init__(self, begin: Callable[[], None] | None) -> None:
        self.seconds, self.compiled = 0.0, False
        self._begin, self._thread, self._depth, self._since = begin, threading.get_ident(), 0, 0.0

    def on_start(self, what: Any) -> None:
        """Note that a kernel, or a function inside it, is being compiled; or that this thread loads or compiles it."""
        if what.kind == _COMPILES and not self.compiled:
            self.compiled = True
            if self._begin is not None:
                self._begin()
        elif what.kind == _PREPARES and threading.get_ident() == self._thread:
            self._since = self._since if self._depth else time.perf_counter()
            self._depth += 1

    def on_end(self, what: Any) -> None:
        """Note that it is done."""
        if what.kind == _PREPARES and threading.get_ident() == self._thread:
            self._depth -= 1
            self.seconds += 0.0 if self._depth else time.perf_counter() - self._since


@contextmanager
def preparing(begin: Callable[[], None] | None = None) -> Iterator[Preparing]:
    """Yield what notes the compiling and loading of kernels in this thread; call `begin` when any thread compiles."""
    listener = Preparing(begin)
    with event.install_listener(_COMPILES, listener), event.install_listener(_PREPARES, listener):
        yield listener
