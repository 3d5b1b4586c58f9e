"""Curves told apart: by colour, in grey, by those who see fewer colours; labels moved apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from kernel.figures.palette import COLOURS, dashes, marker, points, style
from kernel.figures.words import in_one_unit, spread

Points = NDArray[np.float64]
# of linear sRGB, severity 1: Machado, Oliveira, Fernandes (2009), table 1
SEEN = {
    "as it is": np.eye(3),
    "by deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "by protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "by tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#000000")


def linear(colour: str) -> Points:
    """Return the linear light of an sRGB colour (IEC 61966-2-1)."""
    c = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(light: Points) -> Points:
    """Return CIE L*a*b* under D65."""
    x = XYZ @ light / WHITE
    f = np.where(x > 216 / 24389, np.cbrt(x), (24389 / 27 * x + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: Points, other: Points) -> float:
    """Return the CIEDE2000 colour difference (Sharma, Wu, Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(mean**7 / (mean**7 + 25.0**7)))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = 0.0 if c1 * c2 == 0 else (h2 - h1 + 180) % 360 - 180
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, h1 + h2
    if c1 * c2 != 0:
        hue = hue / 2 if abs(h1 - h2) <= 180 else (hue + (360 if hue < 360 else -360)) / 2
    terms = ((0.17, 1, -30), (-0.24, 2, 0), (-0.32, 3, 6), (0.20, 4, -63))
    weight = 1 - sum(w * np.cos(np.radians(n * hue + shift)) for w, n, shift in terms)
    sl = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    rotation = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    rotation *= np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    parts = (l2 - l1) / sl, (c2 - c1) / sc, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / sh
    return float(np.sqrt(sum(part**2 for part in parts) + rotation * parts[1] * parts[2]))


@pytest.mark.parametrize(
    ("one", "other", "published"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colour_differences_are_those_published(one: Points, other: Points, published: float) -> None:
    """The measure of the tests below meets the table of Sharma, Wu and Dalal (2005)."""
    assert distance(np.array(one), np.array(other)) == pytest.approx(published, abs=5e-5)


def nearest(colours: tuple[str, ...], seen: str) -> float:
    """Return the distance of the two nearest of some colours, as somebody sees them."""
    labs = [lab(np.clip(np.array(SEEN[seen]) @ linear(one), 0, 1)) for one in colours]
    return min(distance(*pair) for pair in itertools.combinations(labs, 2))


@pytest.mark.parametrize("seen", SEEN)
def test_any_two_colours_are_told_apart(seen: str) -> None:
    """The two nearest colours differ by 22, ten times what is just seen, and more than those of Okabe and Ito."""
    assert nearest(COLOURS, seen) > max(22.0, nearest(OKABE_ITO, seen))


def test_neighbours_differ_in_grey_and_all_from_white() -> None:
    """Lightness of neighbours differs by 20 of 100; the contrast with white is 3 and more, as WCAG 2.1 asks."""
    light = [float(XYZ[1] @ linear(one)) for one in COLOURS]
    lightness = np.array([lab(linear(one))[0] for one in COLOURS])
    assert np.abs(lightness - np.roll(lightness, 1)).min() > 20
    assert min(1.05 / (one + 0.05) for one in light) >= 3


def test_no_two_curves_are_alike_however_many() -> None:
    """Of a thousand curves no two have the same line and marker, and neighbours differ in both and in colour."""
    looks = [(repr(dashes(k)), marker(k)) for k in range(1_000)]
    assert len(set(looks)) == 1_000
    for one, other in itertools.pairwise([style(k) for k in range(100)]):
        assert all(one[part] != other[part] for part in ("color", "linestyle", "marker"))


def test_no_two_sets_of_points_are_alike_however_many() -> None:
    """Of a thousand sets of points no two have the same marker, filling and size."""
    assert len({(one["marker"], one["fillstyle"], one["markersize"]) for one in map(points, range(1_000))}) == 1_000


@pytest.mark.parametrize("seed", range(20))
def test_labels_are_moved_apart_as_little_as_possible(seed: int) -> None:
    """Labels stay in order and in their range, do not overlap, and are as near as an optimiser gets them."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 9))
    wanted, sizes = np.sort(rng.uniform(-2.0, 12.0, size)), rng.uniform(0.2, 1.2, size)
    found = spread(wanted, sizes, 0.0, 10.0)
    gaps = (sizes[1:] + sizes[:-1]) / 2
    assert np.all(np.diff(found) >= gaps - 1e-9)
    assert found[0] >= sizes[0] / 2 - 1e-9
    assert found[-1] <= 10.0 - sizes[-1] / 2 + 1e-9
    limits = [
        {"type": "ineq", "fun": lambda x: np.diff(x) - gaps},
        {"type": "ineq", "fun": lambda x: np.array([x[0] - sizes[0] / 2, 10.0 - sizes[-1] / 2 - x[-1]])},
    ]
    best = minimize(lambda x: np.sum((x - wanted) ** 2), np.linspace(1, 9, size), method="SLSQP", constraints=limits)
    assert np.sum((found - wanted) ** 2) <= best.fun + 1e-6


@pytest.mark.parametrize(
    ("minutes", "unit", "texts"),
    [
        ([1440, 7200], "d", ["1", "5"]),
        ([720, 7200], "h", ["12", "120"]),
        ([30, 1440], "min", ["30", "1440"]),
        ([1440 / 7, 1440], "h", ["3.429", "24"]),
        ([0.1], "min", ["0.1"]),
        ([365_000 * 1440], "d", ["365,000"]),
    ],
)
def test_durations_share_a_unit(minutes: list[float], unit: str, texts: list[str]) -> None:
    """Days where all are whole days, else hours, else minutes; what is whole in none is written in what it fills."""
    assert in_one_unit([one / (365 * 1440) for one in minutes]) == (unit, texts)
