"""How curves are told apart: by colour, in grey, and by those who see fewer colours, for any number of them.

Six colours, each of a contrast of 3 and more with white. Any two differ by a CIEDE2000 distance of 22 and more, as they
are and as deuteranopes, protanopes and tritanopes see them (Machado et al. 2009); of Okabe and Ito's it is 11. Dark and
light ones alternate, so that neighbours differ in grey too.
"""

from __future__ import annotations

from typing import Any

COLOURS = ("#5515bf", "#ea2a00", "#00002a", "#2a9580", "#550000", "#bf6aff")
GREY, PALE, RULE = "#5a5a5a", "#b4b4b4", "#e4e4e4"  # what is no curve: words, data, lines behind
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES: tuple[tuple[float, ...], ...] = ((), (5.0, 1.6), (1.2, 1.2), (6.0, 1.4, 1.2, 1.4), (10.0, 2.0))
_LONG, _DOT = (16.0, 1.4), (1.2, 1.4)
_FILLS = ("full", "none", "bottom", "left", "top")
_MARKS = 8  # on a curve
_DARK = 0.179  # relative luminance: on what is below it white has the higher contrast (WCAG 2.1)


def colour(k: int) -> str:
    """Return the colour of the k-th curve."""
    return COLOURS[k % len(COLOURS)]


def marker(k: int) -> str:
    """Return the marker of the k-th curve."""
    return _MARKERS[k % len(_MARKERS)]


def dashes(k: int) -> Any:
    """Return the line style of the k-th curve: once every pair with a marker was had, dots are added."""
    base, turn = _DASHES[k % len(_DASHES)], k // (len(_DASHES) * len(_MARKERS))
    pattern = (base or _LONG) + turn * _DOT if turn else base
    return (0, pattern) if pattern else "-"


def style(k: int) -> dict[str, Any]:
    """Return what the k-th curve is drawn with: no two have the same line and marker.

    Example:
        >>> style(0)
        {'color': '#5515bf', 'linestyle': '-', 'marker': 'o', 'markersize': 4}
    """
    return {"color": colour(k), "linestyle": dashes(k), "marker": marker(k), "markersize": 4}


def points(k: int) -> dict[str, Any]:
    """Return what the k-th set of points without a line is drawn with: no two have the same marker, filling and size.

    Example:
        >>> points(0)["fillstyle"], points(7)["fillstyle"]
        ('full', 'none')
    """
    turn = k // len(_MARKERS)
    fill, grown = _FILLS[turn % len(_FILLS)], turn // len(_FILLS)
    return {"color": colour(k), "marker": marker(k), "fillstyle": fill, "markersize": 5 + grown}


def marked(k: int, points: int) -> tuple[int, int]:
    """Return at which of a curve's points its marker stands, as Matplotlib's `markevery`: neighbours' lie apart.

    Example:
        >>> marked(0, 200), marked(1, 200), marked(3, 1)
        ((0, 25), (9, 25), (0, 1))
    """
    step = max(1, points // _MARKS)
    return (3 * k * step // _MARKS) % step, step


def ink(red: float, green: float, blue: float) -> str:
    """Return the colour of words on a ground: of black and white the one of the higher contrast.

    Example:
        >>> ink(1.0, 1.0, 0.0), ink(0.0, 0.0, 0.5)
        ('black', 'white')
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]  # noqa: PLR2004 - sRGB
    return "white" if 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] < _DARK else "black"
