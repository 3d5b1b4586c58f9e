"""How the normals of the steps are drawn: independently, in antithetic pairs, or from scrambled Sobol points."""

from __future__ import annotations

from kernel.errors import Problems

# Independent randomisations, from whose spread the errors come. Of pairs they cost nothing: 50 suit round numbers of
# paths. Of Sobol points each more makes the others smaller, and those gain faster than by their number: ES 99% of one
# asset from 16,384 paths has an error of 15.7 from 8 of them, 22 from 16, 35 from 32, 53 from 64; its 95% intervals
# hold the truth in 91.5%, 93.2%, 94.8% and 94.5% of runs.
REPLICATES = {"plain": 0, "antithetic": 50, "sobol": 32}
_FEWEST_POINTS = 64  # of a replicate
_MOST_DIMENSIONS = 21_201  # of Joe and Kuo's direction numbers (2008), which SciPy has


def check_sampling(problems: Problems, sampling: str, record: str, paths: int, dimensions: int) -> None:
    """Note paths that do not make whole replicates, more dimensions than there are, and summaries.

    Args:
        problems: takes what is found.
        sampling: a key of REPLICATES.
        record: of `simulate`.
        paths: of all replicates.
        dimensions: steps times assets.
    """
    if sampling == "plain":
        return
    if record == "summary":
        problems.add("record", f"must be 'paths' with sampling={sampling!r}: its errors are told by the paths")
    if sampling == "antithetic" and paths % (2 * REPLICATES[sampling]):
        unit = 2 * REPLICATES[sampling]
        would_do = -(-paths // unit) * unit
        problems.add("paths", f"must be a multiple of {unit} with sampling='antithetic': {would_do:,} would do")
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
