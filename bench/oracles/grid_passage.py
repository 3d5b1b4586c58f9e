"""First passage of a Lévy process watched at the ends of equal steps, exactly for that grid, from its transform.

The density of the paths that are still above the barrier is carried from step to step in Fourier space: one step
multiplies it by the characteristic function, and cutting it off at the barrier is a Hilbert transform. Sums over a grid
of frequencies take the place of integrals with an error that falls exponentially.

Sources: Feng and Linetsky (2008), Pricing discretely monitored barrier options and defaultable bonds in Lévy process
models: a fast Hilbert transform approach, Mathematical Finance 18, eqs. 3.11 and 3.15; Broadie, Glasserman and Kou
(1997), A continuity correction for discrete barrier options, Mathematical Finance 7, for `corrected`.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, next_fast_len

Exponent = Callable[[NDArray[np.float64]], NDArray[np.complex128]]

_BETA = 0.5825971579390107  # -zeta(1/2) / sqrt(2 pi)
_NEGLIGIBLE = 1e-13


def hit_probabilities(barrier: float, exponent: Exponent, t: float, steps: int, extent: float) -> NDArray[np.float64]:
    """Return P(X is at or beyond `barrier` at the end of one of the first k steps of `t` / `steps`), k from 1.

    Args:
        barrier: log price relative to spot: X comes from above if it is below 0.
        exponent: the characteristic exponent, log E[exp(i u X(1))], at real frequencies; its real part falls with them.
        t: years.
        steps: of equal length.
        extent: a log price that X does not leave by `t`, but for what can be neglected.
    """
    side, dt = -math.copysign(1.0, barrier), t / steps
    spacing = math.pi / (2.0 * (extent + abs(barrier)))
    top = spacing
    while math.exp(dt * float(np.real(exponent(np.array([top])))[0])) > _NEGLIGIBLE:
        top *= 1.2
    half = math.ceil(top / spacing)
    n = np.arange(-half, half + 1)
    u = spacing * n
    step = np.exp(dt * exponent(side * u))
    turn = np.exp(1j * u * abs(barrier))  # to the side of the barrier and back: it lies at -|barrier|
    lag = np.arange(-2 * half, 2 * half + 1)
    kernel = np.where(lag % 2 != 0, 2.0 / (math.pi * np.where(lag == 0, 1, lag)), 0.0)
    size = next_fast_len(kernel.size + n.size - 1)
    kernel_transform = fft(kernel, size)
    alive, survival = step, np.empty(steps)
    for k in range(steps):
        cut = ifft(kernel_transform * fft(turn * alive, size))[2 * half : 2 * half + n.size]
        above = 0.5 * (alive + 1j * cut / turn)
        survival[k] = above[half].real
        alive = step * above
    return 1.0 - survival


def corrected(barrier: float, volatility: float, dt: float) -> float:
    """Return the barrier that, watched continuously, is hit about as often as `barrier` watched every `dt` years.

    Broadie, Glasserman and Kou (1997), theorem 1.1: further away by 0.5826 volatility sqrt(dt), with an error that
    vanishes faster than sqrt(dt). Jumps leave it as it is (Fuh, Luo and Yen 2013, Pricing discrete path-dependent
    options under a double exponential jump-diffusion model, J. Banking and Finance 37).
    """
    return barrier + math.copysign(_BETA * volatility * math.sqrt(dt), barrier)
