"""The search for the parameters of GARCH(1,1), by the package arch."""

from __future__ import annotations

import math
import warnings
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import InvalidInput, Problem


class Likeliest(NamedTuple):
    """What arch found, for returns of standard deviation 100."""

    theta: NDArray[np.float64]  # mean, omega, alpha, beta
    covariance: NDArray[np.float64]
    degrees: float  # NaN of normal innovations
    degrees_variance: float
    log_likelihood: float
    settled: bool


def search(scaled: NDArray[np.float64], innovations: Literal["t", "normal"]) -> Likeliest:
    """Maximise the likelihood of GARCH(1,1); of normal innovations it is a quasi-likelihood, right of any law."""
    try:
        from arch import arch_model  # noqa: PLC0415 - an extra, and takes long to import
    except ImportError:
        message = 'garch needs the package arch: pip install "margin-kernel[garch]"'
        raise InvalidInput([Problem("volatility", message)]) from None
    with warnings.catch_warnings():  # arch warns of what the notes say
        warnings.simplefilter("ignore")
        model = arch_model(scaled, mean="Constant", vol="GARCH", p=1, q=1, dist=innovations, rescale=False)
        result = model.fit(disp="off", show_warning=False)
        try:
            covariance = np.asarray(result.param_cov)
        except np.linalg.LinAlgError:  # a flat likelihood
            covariance = np.full((len(result.params),) * 2, np.nan)
    theta, settled, value = np.asarray(result.params), result.convergence_flag == 0, float(result.loglikelihood)
    degrees, its_variance = (theta[4], covariance[4, 4]) if innovations == "t" else (math.nan, math.nan)
    return Likeliest(theta[:4], covariance[:4, :4], float(degrees), float(its_variance), value, settled)
