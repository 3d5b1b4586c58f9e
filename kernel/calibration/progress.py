"""Progress of several simulations as that of one."""

from __future__ import annotations

from collections.abc import Callable


class Together:
    """What each of several simulations of as many paths calls as its own progress.

    Args:
        progress: called with paths done and paths in all, of all simulations; None: nobody is.
        simulations: at most.
        paths: of each.

    Example:
        >>> together = Together(lambda done, of: print(done, "of", of), simulations=2, paths=10)
        >>> together(5, 10), together(10, 10), together(4, 10), together.pass_over(2)
        5 of 20
        10 of 20
        14 of 20
        20 of 20
        (None, None, None, None)
    """

    def __init__(self, progress: Callable[[int, int], None] | None, simulations: int, paths: int) -> None:
        self._progress, self._simulations, self._paths = progress, simulations, paths
        self._finished = 0

    def __call__(self, done: int, of: int) -> None:
        """Take what the simulation under way says of itself."""
        if self._progress is not None:
            self._progress(self._finished * of + done, self._simulations * of)
        self._finished += done == of

    def pass_over(self, simulations: int) -> None:
        """Count as many simulations as finished, of which some were not needed."""
        if self._progress is not None and self._finished < simulations:
            self._progress(simulations * self._paths, self._simulations * self._paths)
        self._finished = max(self._finished, simulations)
