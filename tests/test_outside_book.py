"""A book from outside the package that writes what it must: the other operations are done by their defaults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kernel
from kernel.simulation import chunks
from kernel.simulation import simulate as simulation
from tests.cases import GBM, LADDER, LONG, MERTON, run
from tests.outside_rules import PlainBook

PATHS = 20_000


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Make the jobs that simulations run, the second with the book from outside."""

    def made(market: kernel.Market, shift: Any = 0.0, **settings: Any) -> list[Any]:
        caught: list[Any] = []
        original = simulation.new_job
        with monkeypatch.context() as patch:
            patch.setattr(simulation, "new_job", lambda *stated: caught.append(original(*stated)) or caught[0])
            run(market, LONG, paths=1, **settings)
        job = caught[0]
        shifts = np.broadcast_to(np.asarray(shift, job.real), PATHS).copy()
        book = PlainBook(job.book.spot, float(job.book.quantity[0]), job.book.level, shifts)
        return [job, job._replace(book=book)]

    return made


def walked(job: Any) -> Any:
    """Walk the paths of a job."""
    return chunks.run_chunk(chunks.ChunkSpec(job, 0, PATHS)).arrays


@pytest.mark.parametrize("settings", [{}, {"monitoring": "discrete"}], ids=["continuous", "discrete"])
def test_defaults_find_the_breaches_of_the_own_book(settings: dict[str, Any], jobs: Callable[..., list[Any]]) -> None:
    """Breaches screened by distances, their times and the losses are those of BarrierBook, bit for bit."""
    own, plain = (walked(job) for job in jobs(MERTON, steps=3, **settings))
    for name in ("loss", "terminal_price", "breach_time"):
        assert getattr(own, name).tobytes() == getattr(plain, name).tobytes()
    assert np.isfinite(own.breach_time).mean() > 0.1


@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_search_for_the_lowest_reading_finds_the_closed_form(
    precision: str, jobs: Callable[..., list[Any]]
) -> None:
    """The lowest metric of each path, from -12 to 18, is BarrierBook's to some last digits."""
    for settings in ({}, {"monitoring": "discrete"}):
        own, plain = (walked(job).worst for job in jobs(MERTON, steps=3, worst=True, precision=precision, **settings))
        np.testing.assert_allclose(plain, own, rtol=0, atol=1e-5 if precision == "single" else 3e-13)


def test_likelihood_ratios_are_reckoned_at_the_end_of_the_segment(jobs: Callable[..., list[Any]]) -> None:
    """At grid points the default is exact: the book that knows the price at the breach leaves out the growth alone."""
    growth = 3.0
    scores = []
    for job in jobs(GBM, steps=4, monitoring="discrete", precision="double"):
        plan = job.plan._replace(tilt=np.array([-2.0]), growth=growth)
        scores.append(walked(job._replace(plan=plan)))
    own, plain = scores
    breached = np.isfinite(own.breach_time)
    expected = own.score + growth * own.breach_time
    np.testing.assert_allclose(plain.score[breached], expected[breached], rtol=1e-12)
    assert breached.mean() > 0.1


def test_each_path_may_have_levels_of_its_own(jobs: Callable[..., list[Any]]) -> None:
    """Levels that a book shifts on every other path breach as those of an account that has them on all paths."""
    shift = 0.01
    shifts = np.where(np.arange(PATHS) % 2 == 0, 0.0, shift)
    own, mixed = jobs(MERTON, shifts, steps=3)
    lower = own._replace(book=own.book._replace(level=own.book.level + own.real.type(shift)))
    parts = [walked(job).breach_time for job in (own, lower)]
    expected = np.where(np.arange(PATHS) % 2 == 0, *parts)
    assert walked(mixed).breach_time.tobytes() == expected.tobytes()
    assert not np.array_equal(*(np.isnan(part) for part in parts))
    assert len(LADDER.tiers) == len(parts[0])
