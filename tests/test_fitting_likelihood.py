"""The maximiser: estimates, errors, and what it says of a likelihood that is flat or ends at a bound."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kernel.fitting.likelihood import Vector, maximise, standard_errors

RETURNS = np.random.default_rng(1).normal(0.3, 2.0, 400)


def normal(theta: Vector) -> tuple[float, Vector]:
    """Return the log likelihood of RETURNS under a normal of this mean and log deviation."""
    standard = (RETURNS - theta[0]) / np.exp(theta[1])
    value = -RETURNS.size * (theta[1] + 0.5 * np.log(2 * np.pi)) - 0.5 * (standard**2).sum()
    return float(value), np.array([standard.sum() / np.exp(theta[1]), (standard**2 - 1).sum()])


def fields(theta: Vector) -> dict[str, Any]:
    """Return mean, deviation and both in an array."""
    return {"mean": theta[0], "deviation": np.exp(theta[1]), "both": np.array([theta[0], np.exp(theta[1])])}


def test_a_normals_errors_are_those_of_the_closed_form() -> None:
    """Mean and deviation have errors s / sqrt(n) and s / sqrt(2 n), in the shapes of their fields."""
    starts = [np.array([5.0, 3.0]), np.array([-1.0, 0.0])]
    optimum = maximise(normal, starts, [(-9.0, 9.0), (-5.0, 5.0)])
    errors, s = standard_errors(fields, optimum), RETURNS.std()
    np.testing.assert_allclose(fields(optimum.theta)["both"], [RETURNS.mean(), s], rtol=1e-6)
    expected = [s / 20, s / np.sqrt(800)]
    np.testing.assert_allclose(errors["both"], expected, rtol=1e-5)
    assert [errors["mean"], errors["deviation"]] == pytest.approx(expected, rel=1e-5)
    assert not optimum.flat
    assert optimum.at_bound == ()


def test_a_parameter_at_its_bound_has_no_error() -> None:
    """The bound is named, its field has no error, the others keep theirs."""
    optimum = maximise(normal, [np.zeros(2)], [(0.5, 9.0), (-5.0, 5.0)])
    errors = standard_errors(fields, optimum)
    assert optimum.at_bound == (0,)
    assert np.isnan(errors["mean"])
    deviation = np.sqrt(((RETURNS - 0.5) ** 2).mean())
    np.testing.assert_allclose(errors["both"], [np.nan, deviation / np.sqrt(800)], rtol=1e-5)


def test_what_only_counts_together_has_no_error() -> None:
    """Of a sum of two parameters the sum has an error, its parts have none."""

    def of_a_sum(theta: Vector) -> tuple[float, Vector]:
        value, slope = normal(np.array([theta[0] + theta[1], theta[2]]))
        return value, slope[[0, 0, 1]]

    optimum = maximise(of_a_sum, [np.array([1.0, 0.0, 0.0])], [(-9.0, 9.0), (-9.0, 9.0), (-5.0, 5.0)])
    errors = standard_errors(lambda theta: {"part": theta[0], "sum": theta[0] + theta[1]}, optimum)
    assert optimum.flat
    assert np.isnan(errors["part"])
    assert errors["sum"] == pytest.approx(RETURNS.std() / 20, rel=1e-4)
