"""JAX on the CPU, as its users would write it well.

A jitted scan over the steps in single precision, mapped over blocks of paths that stay in the cache; the steps before a
breach are counted, which XLA fuses with the generator and the normals into one loop. Tried and slower, in ns a
path-step on one processor, beside 6.1 of what stands here: first breaches by a minimum of step numbers 9.4, the steps
unrolled 10.8, Box-Muller in place of `random.normal` 17 to 36 (sines are not vectorised), the generators rbg 59 and
unsafe_rbg 50 in place of threefry, all noise of a block drawn ahead 23, all paths in one block 7.0.

It runs in processes of its own, one kept to each processor, which sizes XLA's pool of threads when it starts. On two
processors that took 6 ns where one process with a device for each processor took 9, and one with XLA's pool alone 13.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from bench.peers import Walked, terms

BLOCK = 16_384  # measured: 8,192 6.4, 16,384 6.1, 32,768 6.1 ns a path-step


@cache
def _blocks() -> Any:
    """Return the compiled walk of blocks, by their keys."""
    import jax
    import jax.numpy as jnp

    job = terms()
    barriers = jnp.asarray(job.barriers, jnp.float32)[:, None]

    def step(state: Any, _: None) -> tuple[Any, None]:
        log_price, lowest, first, key = state
        key, now = jax.random.split(key)
        log_price += job.drift + job.scale * jax.random.normal(now, log_price.shape, jnp.float32)
        lowest = jnp.minimum(lowest, log_price)
        return (log_price, lowest, first + (lowest > barriers), key), None

    def block(key: Any) -> tuple[Any, Any]:
        zero = jnp.zeros(BLOCK, jnp.float32)
        start = (zero, zero, jnp.zeros((len(barriers), BLOCK), jnp.int32), key)
        (log_price, _, first, _), _ = jax.lax.scan(step, start, length=job.steps)
        return jnp.exp(log_price) - job.debt, first

    return jax.jit(lambda keys: jax.lax.map(block, keys))


def walk(paths: int, seed: int) -> Walked:
    """Walk the job, in whole blocks."""
    import jax

    equity, first = _blocks()(jax.random.split(jax.random.key(seed), -(-paths // BLOCK)))
    return np.asarray(equity).ravel(), np.asarray(first).transpose(1, 0, 2).reshape(4, -1)


def walked(paths: int, seed: int) -> tuple[int, float, list[float]]:
    """Walk, and return how many paths, their mean closing equity and the share that breached each tier."""
    equity, first = walk(paths, seed)
    return equity.size, float(equity.mean(dtype=np.float64)), (first < terms().steps).mean(axis=1).tolist()
