"""Compile options, the cache folder, and dispatch on struct types: the only compile settings of the project."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from numba import njit
from numba.core import config as _config
from numba.extending import overload

from kernel._core.compiler import InnerCompiler, KernelCompiler

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

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
_taken: dict[tuple[str, str], type] = {}

point = njit(**INLINE)  # acts on one lane: must be inlined before the loop vectoriser runs
block = njit(**INNER)  # owns a loop over lanes
entry = njit(**ENTRY)  # is called from Python; compiled in every process


config: Any = _config  # its settings are made at run time


def source_digest() -> str:
    """Name the state of every source that is compiled: Numba itself watches only the file of the entry kernel."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(path for folder in COMPILED for path in (_PACKAGE / folder).rglob("*.py")):
        digest.update(str(path.relative_to(_PACKAGE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _cache_folder() -> Path | None:
    """Return the first writable place for compiled kernels, or None: then they are compiled in every process."""
    user = os.environ.get("XDG_CACHE_HOME") or (Path.home() / ".cache")
    candidates = (
        [Path(config.CACHE_DIR)] if config.CACHE_DIR else [_PACKAGE / "__pycache__", Path(user) / "margin-kernel"]
    )
    name = f"numba-{source_digest()}"
    return next((base / name for base in candidates if _writable(base / name)), None)


CACHE_FOLDER = _cache_folder()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of the cache folder, where the system can."""
    with (folder / "lock").open("w") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_foreign(kind: Any) -> bool:
    """Tell whether a type is, or holds, a struct that is defined outside this package."""
    struct = getattr(kind, "instance_class", None)
    ours = struct is None or struct.__module__.partition(".")[0] == __name__.partition(".")[0]
    return not ours or any(_is_foreign(one) for one in getattr(kind, "types", ()))


def _save_alone(dispatcher: Any, folder: Path) -> None:
    """Let one process at a time write to the cache, and no struct from outside the package enter it.

    Numba numbers the files of an index without a lock: of two processes that save different overloads at one
    moment, one would later load the other's machine code. Every process reads the whole index, so that a struct whose
    module is not there would stop them all; and nothing would tell that its source was edited.
    """
    save = dispatcher._cache.save_overload

    def save_locked(signature: Any, data: Any) -> None:
        if any(_is_foreign(one) for one in signature):
            return
        with _locked(folder):
            save(signature, data)

    dispatcher._cache.save_overload = save_locked


def kernel(body: Callable[..., Any]) -> Any:
    """Compile an entry kernel: the GIL released, the machine code kept on disk."""
    if CACHE_FOLDER is None:
        return entry(body)
    saved, config.CACHE_DIR = config.CACHE_DIR, str(CACHE_FOLDER)
    try:
        dispatcher = njit(cache=True, **ENTRY)(body)
    finally:
        config.CACHE_DIR = saved
    _save_alone(dispatcher, CACHE_FOLDER)
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
