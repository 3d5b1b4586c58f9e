"""Compiled kernels on disk: used only if they are whole, and where nobody else can have written them."""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import stat
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

SUFFIX = ".code"
_DIGEST = 32  # bytes
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def entries(folder: Path) -> bool:
    """Tell whether a folder holds a compiled kernel."""
    return any(folder.glob(f"*{SUFFIX}"))


def choose_folder(folders: Sequence[Path]) -> tuple[Path | None, str]:
    """Return the first folder to keep compiled kernels in, made if need be; without one, None and why.

    One that cannot be written serves as well, if it holds some.
    """
    reasons = []
    for folder in folders:
        reason = _make(folder) or _distrusted(folder)
        if not reason and (os.access(folder, os.W_OK) or entries(folder)):
            return folder, ""
        reasons.append(f"{folder} {reason or 'cannot be written'}")
    return None, "; ".join(reasons)


def _make(folder: Path) -> str:
    """Make a folder and the one that it is in, for this user alone; return what forbids it."""
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
    except (OSError, ValueError) as error:
        return f"cannot be made: {getattr(error, 'strerror', None) or error}"
    return ""


def _distrusted(folder: Path) -> str:
    """Return why what is in a folder may be another user's work: it would be executed."""
    if not hasattr(os, "geteuid"):  # Windows keeps others out of a user's folders by other means
        return ""
    real = folder.resolve()
    for each in (real, *real.parents):
        status = each.stat()
        if status.st_uid not in {os.geteuid(), 0}:
            return f"is not used: {each} belongs to another user"
        sticky = status.st_mode & stat.S_ISVTX  # as /tmp: nobody else can rename what is in it
        own_group = status.st_gid == os.getegid() and not status.st_mode & stat.S_IWOTH
        if status.st_mode & _OTHERS and (each == real or not (sticky or own_group)):
            return f"is not used: other users may write to {each}"
    return ""


class KernelCache:
    """What Numba asks of a cache, over one file for each signature of a kernel.

    A file is written beside its place and moved there, so that processes need not wait for each other. It begins with
    the digest of the rest: what is damaged is compiled anew, with a warning, and replaced.
    """

    def __init__(self, body: Callable[..., Any], folder: Path) -> None:
        self._name, self._folder = body.__name__, folder
        self._bytecode = hashlib.blake2b(body.__code__.co_code).hexdigest()

    @property
    def cache_path(self) -> str:
        """Return the folder."""
        return str(self._folder)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled kernel of a signature, or None."""
        target.refresh()
        key = self._key(signature, target.codegen())
        path = self._path(key)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            return _warn(f"{path} cannot be read ({error.strerror}): compiled anew")
        whole = memoryview(content)[_DIGEST:]
        if hashlib.blake2b(whole, digest_size=_DIGEST).digest() != content[:_DIGEST]:
            return _warn(f"{path} is damaged: compiled anew")
        kept, reduced = pickle.loads(whole)  # noqa: S301 - nobody else can have written it, and it is whole
        if kept != key:
            return _warn(f"{path} is not what its name says: compiled anew")
        return CompileResult._rebuild(target, *reduced)

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled kernel; where that cannot be, it is but compiled again in the next process."""
        if any(_is_foreign(kind) for kind in signature):
            return
        key = self._key(signature, compiled.codegen)
        whole = dumps((key, compiled._reduce()))
        try:
            _write(self._path(key), hashlib.blake2b(whole, digest_size=_DIGEST).digest() + whole)
        except OSError as error:
            _warn(f"{self._folder} cannot be written ({error.strerror}): every process compiles anew")

    def _key(self, signature: Any, codegen: Any) -> str:
        versions = numba.__version__, llvmlite.__version__, platform.python_version()
        return repr((self._name, self._bytecode, [str(kind) for kind in signature], codegen.magic_tuple(), versions))

    def _path(self, key: str) -> Path:
        return self._folder / f"{self._name}-{hashlib.blake2b(key.encode(), digest_size=12).hexdigest()}{SUFFIX}"


def _write(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(content)
            file.close()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _warn(what: str) -> None:
    warnings.warn(f"kernel cache: {what}", RuntimeWarning, stacklevel=2)


def _is_foreign(kind: Any) -> bool:
    """Tell whether a type is, or holds, a struct from outside this package.

    Its module may be edited or go, which nothing here would notice.
    """
    struct = getattr(kind, "instance_class", None)
    ours = struct is None or struct.__module__.partition(".")[0] == __name__.partition(".")[0]
    return not ours or any(_is_foreign(part) for part in getattr(kind, "types", ()))
