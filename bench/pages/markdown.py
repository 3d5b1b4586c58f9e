"""How the pages that bench writes are worded and wrapped."""

from __future__ import annotations

import textwrap


def wrapped(text: str) -> list[str]:
    """Wrap a paragraph, whatever its lines were."""
    return textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def two_figures(ratio: float) -> str:
    """Write a ratio with two figures.

    Example:
        >>> two_figures(3.14), two_figures(56.7), two_figures(1_234.0)
        ('3.1', '57', '1,200')
    """
    return f"{float(f'{ratio:.2g}'):,.{0 if ratio >= 10 else 1}f}"
