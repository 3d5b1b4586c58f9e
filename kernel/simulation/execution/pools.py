"""The executors that the command makes: worker processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from kernel.errors import InvalidInput, Problem

_MOST = 4096  # processes
_CONNECT = 10.0  # seconds


class Stated(NamedTuple):
    """What an executor was stated as: a number of processes, or the address of a Dask scheduler."""

    processes: int
    address: str


def parse_executor(text: str) -> Stated:
    """Read "processes:8" or "dask://host:port".

    Raises:
        InvalidInput: for anything else.
    """
    kind, _, rest = text.strip().partition(":")
    if kind == "processes" and re.fullmatch("[0-9]{1,4}", rest) and 1 <= int(rest) <= _MOST:
        return Stated(int(rest), "")
    if kind == "dask" and (place := re.fullmatch(r"//(\[[0-9A-Fa-f:.]+\]|[\w.-]+):([0-9]{1,5})/?", rest, re.ASCII)):
        return Stated(0, f"tcp://{place[1]}:{place[2]}")
    message = f"must be processes:N, with N from 1 to {_MOST}, or dask://HOST:PORT, not {text!r}"
    raise InvalidInput([Problem("executor", message)])


@contextmanager
def open_executor(stated: Stated) -> Iterator[Executor]:
    """Open an executor, and close it when done: no process is left behind, and a cluster stays as it was.

    Raises:
        InvalidInput: if Dask is not installed, or no scheduler answers.
    """
    with _dask(stated.address) if stated.address else _processes(stated.processes) as executor:
        yield executor


@contextmanager
def _processes(count: int) -> Iterator[Executor]:
    spawned = multiprocessing.get_context("spawn")  # forks would inherit threads' locks, and are not everywhere
    pool = ProcessPoolExecutor(count, mp_context=spawned, initializer=_end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Leave Ctrl-C to the parent, which then ends the pool, and end when the parent does, however that is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        message = 'dask:// needs Dask: pip install "margin-kernel[dask]"'
        raise InvalidInput([Problem("executor", message)]) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it logs of a lost connection comes in a sentence
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        message = f"no Dask scheduler answers at {address}: {str(error).partition(chr(10))[0]}"
        raise InvalidInput([Problem("executor", message)]) from None
    with client:
        yield client.get_executor()
