"""How the normals of the steps are drawn: independently, in antithetic pairs, or from scrambled Sobol points."""

from __future__ import annotations

from kernel.errors import Problems

SAMPLING = ("plain", "antithetic", "sobol")
# Independent randomisations, from whose spread the errors come. Of pairs they cost nothing, and 50 of them suit round
# numbers of paths. Of Sobol points each more makes the others smaller, and they gain faster than their number: 16
# widen an interval by 9% over one whose error is known, 32 by 4%.
REPLICATES = {"plain": 0, "antithetic": 50, "sobol": 32}
_FEWEST_POINTS = 64  # of a replicate
_MOST_DIMENSIONS = 21_201  # of Joe and Kuo's direction numbers (2008), which SciPy has


def check_sampling(problems: Problems, sampling: str, record: str, paths: int, dimensions: int) -> None:
    """Note paths that do not make whole replicates, more dimensions than there are, and summaries.

    Args:
        problems: takes what is found.
        sampling: one of SAMPLING.
        record: of `simulate`.
        paths: of all replicates.
        dimensions: steps times assets.
    """
    if sampling == "plain":
        return
    if record == "summary":
        problems.add("record", f'must be "paths" with sampling="{sampling}": its errors are told by the paths')
    if sampling == "antithetic" and paths % (2 * REPLICATES[sampling]):
        unit = 2 * REPLICATES[sampling]
        problems.add("paths", f"must be a multiple of {unit} with sampling={sampling!r}: {-(-paths // unit) * unit:,}")
    if sampling == "sobol":
        _check_points(problems, paths, dimensions)


def _check_points(problems: Problems, paths: int, dimensions: int) -> None:
    fewest = REPLICATES["sobol"] * _FEWEST_POINTS
    if paths < fewest or paths & (paths - 1):
        would_do = max(fewest, 1 << (paths - 1).bit_length())
        problems.add(
            "paths", f"must be a power of two, at least {fewest:,}, with sampling='sobol': {would_do:,} would do"
        )
    if dimensions > _MOST_DIMENSIONS:
        problems.add(
            "steps",
            f"times assets must be at most {_MOST_DIMENSIONS:,} with sampling='sobol', not {dimensions:,}: there are "
            "no points of more dimensions",
        )
