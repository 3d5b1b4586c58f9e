"""The forms that people read reports in, by the name that `--format` has for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from kernel.report.blocks import Block
from kernel.report.text import to_text

FORMS: Final[dict[str, Callable[[Iterable[Block]], str]]] = {"table": to_text}
