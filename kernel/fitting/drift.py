"""The drift of a history: an estimate that says little of what comes, left out of a run unless it is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kernel.fitting.fit import Fit

DRIFTS = ("zero", "fitted")
_NAMED = 4  # assets in a sentence


class Drift(NamedTuple):
    """A drift that was estimated, and how sure it is."""

    assets: tuple[str, ...]
    estimate: NDArray[np.float64]
    """[asset] per year."""
    error: NDArray[np.float64]
    """[asset] standard errors; NaN: unknown."""

    def chosen(self, which: str) -> NDArray[np.float64]:
        """Return the drift that a word of DRIFTS stands for, [asset]."""
        return self.estimate if which == "fitted" else np.zeros_like(self.estimate)

    def notes(self, drift: ArrayLike) -> tuple[str, ...]:
        """Say whether a market's drift is the estimate, or leaves it out; a drift that was stated needs no word.

        Example:
            >>> Drift(("BTC",), np.array([0.92]), np.array([0.45])).notes(0.0)[0][:47]
            'drift is 0: that of the history, 0.92 ± 0.45 a '
        """
        if not self.estimate.any():
            return ()
        estimate = f"that of the history, {self._written()} a year"
        if not np.any(drift):
            return (f"drift is 0: {estimate}, says little of what comes and is left out (--drift fitted keeps it)",)
        if not np.array_equal(drift, self.estimate):
            return ()
        safer = "positions that gain by it look safer than without, others riskier"
        return (f"drift is {estimate}, as if it went on: {safer} (--drift zero leaves it out)",)

    def _written(self) -> str:
        several, rest = len(self.assets) > 1, len(self.assets) - _NAMED
        each = zip(self.assets, self.estimate, self.error, strict=True)
        written = [
            (f"{name} " if several else "") + f"{value:.3g}" + (f" ± {error:.2g}" if np.isfinite(error) else "")
            for name, value, error in each
        ]
        return ", ".join(written[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def drift_of(fit: Fit[Any]) -> Drift:
    """Return the drift that a fit estimated."""
    estimate = np.asarray(fit.market.drift, dtype=np.float64)
    error = np.asarray(fit.standard_errors.get("drift", np.nan), dtype=np.float64)
    return Drift(tuple(fit.market.assets), estimate, np.broadcast_to(error, estimate.shape))
