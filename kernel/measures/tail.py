"""Value at Risk and Expected Shortfall of the losses."""

from __future__ import annotations

from kernel import checks
from kernel.errors import Problems
from kernel.measures.estimate import Estimate
from kernel.measures.quantities import losses
from kernel.simulation.outcome import Outcome, require_outcome


def value_at_risk(outcome: Outcome, level: float) -> Estimate:
    """Estimate Value at Risk: the smallest loss l with P(loss <= l) >= level, the ceil(level n)-th smallest of n.

    The interval comes from order statistics and holds for any law of the loss; where the sample is too small for
    one, it is unbounded. The standard error is its half-width over 1.96. With likelihood ratios it is the loss that a
    share 1 - level of the weight lies above, interpolated between neighbours, as with replicates; the interval's ranks
    then follow from the spread of that share.

    Args:
        outcome: of `simulate`.
        level: such as 0.99, above 0 and below 1; for a summary, not below the lowest of its `levels`.

    Raises:
        InvalidInput: for a level outside its range.
    """
    require_outcome(outcome)
    return losses(outcome).upper_quantile(_checked(level))


def expected_shortfall(outcome: Outcome, level: float) -> Estimate:
    """Estimate Expected Shortfall: the mean of the worst (1 - level) share of the losses.

    The boundary loss counts with the fraction that completes the share, so that ties and any number of paths are
    right (Acerbi and Tasche 2002, definition 2.6). The standard error is the plain one of the estimator's influence
    function: the variance of max(loss - VaR, 0) over n (1 - level)**2. The interval is not symmetric about the value:
    it takes the skewness of those excesses into account (Hall 1992), so that it holds the truth as often as it should
    from ten losses above VaR on, under light and heavy tails (`docs/intervals.md`); with fewer there is none. With
    likelihood ratios the losses count by them, and with replicates the error and the skewness are from those.

    Args:
        outcome: of `simulate`.
        level: such as 0.975, above 0 and below 1; for a summary, not below the lowest of its `levels`.

    Raises:
        InvalidInput: for a level outside its range.
    """
    require_outcome(outcome)
    return losses(outcome).upper_mean(_checked(level))


def _checked(level: float) -> float:
    problems = Problems()
    level = checks.number(problems, "level", level, above=0, below=1)
    problems.raise_any()
    return level
