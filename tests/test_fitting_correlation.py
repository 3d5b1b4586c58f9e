"""The nearest correlation matrix."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kernel.fitting.correlation import nearest_correlation, repair


def test_the_published_example_is_met() -> None:
    """Higham (2002), section 4: a matrix, its nearest correlation matrix and their distance, to four places."""
    nearest, distance = nearest_correlation(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]))
    published = [[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]
    np.testing.assert_allclose(nearest, published, atol=5e-5)
    assert round(distance, 4) == 0.5278


@given(st.integers(2, 6), st.integers(0, 1_000))
def test_the_nearest_is_a_correlation_and_no_other_is_nearer(size: int, seed: int) -> None:
    """It is semi-definite with ones on the diagonal; a step towards any other correlation matrix leads away."""
    generator = np.random.default_rng(seed)
    given_one = np.tril(generator.uniform(-1, 1, (size, size)), -1)
    given_one = given_one + given_one.T + np.eye(size)
    nearest, distance = nearest_correlation(given_one)
    assert np.linalg.eigvalsh(nearest)[0] > -1e-9
    assert (np.diag(nearest) == 1).all()
    other = np.corrcoef(generator.normal(size=(size, size + 2)))
    assert np.linalg.norm(0.99 * nearest + 0.01 * other - given_one) > distance - 1e-6


def test_only_a_repair_is_noted() -> None:
    """A correlation matrix comes back as it was, without a word; what is none comes with its distance."""
    fine = np.array([[1, 0.5], [0.5, 1]])
    same, notes = repair(fine, "correlation")
    np.testing.assert_allclose(same, fine, atol=1e-12)
    assert notes == ()
    mended, notes = repair(np.array([[1, 1.5], [1.5, 1]]), "correlation")
    np.testing.assert_allclose(mended, np.ones((2, 2)), atol=1e-9)
    assert "0.71 away" in notes[0]
