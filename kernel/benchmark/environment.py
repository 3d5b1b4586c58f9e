"""What the kernels depend on around them: the processor, the folder that they are kept in, and their compiling."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.metadata import PackageNotFoundError, version

import llvmlite.binding

from kernel._core.jit import CACHE_FOLDER, WHY_NO_CACHE, Preparing, preparing


def processor_family() -> str:
    """Return the family of this machine's processor, by LLVM's name."""
    return str(llvmlite.binding.get_host_cpu_name())


def cache_folder() -> str | None:
    """Return where compiled kernels are kept; None: nowhere, and every process compiles anew."""
    return str(CACHE_FOLDER) if CACHE_FOLDER else None


def why_no_cache() -> str:
    """Return why compiled kernels are kept nowhere, folder by folder."""
    return WHY_NO_CACHE


def preparing_kernels(begin: Callable[[], None] | None = None) -> AbstractContextManager[Preparing]:
    """Note the compiling and loading of kernels within a block; call `begin` once, when any is compiled."""
    return preparing(begin)


def installed(name: str) -> str | None:
    """Return the version of a package, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
