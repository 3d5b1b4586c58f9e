"""A limit to the time of a test: one that waits for ever ends its process, and with that its children."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Generator

import pytest

QUICK, SLOW = 600.0, 7200.0  # seconds: many times what any takes on a loaded machine
_STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep hold of stderr, which is captured later."""
    config.stash[_STDERR] = os.dup(2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End the process, with the stack of each thread, when a test takes longer than its limit.

    A signal would not do: code that never returns to Python has no ear for it.
    """
    limit = SLOW if item.get_closest_marker("slow") else QUICK
    faulthandler.dump_traceback_later(limit, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()
