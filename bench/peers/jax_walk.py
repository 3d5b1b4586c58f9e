"""JAX on the CPU, as its users would write it well.

A jitted scan over the steps in single precision, mapped over blocks of paths that stay in the cache; XLA fuses the
generator, the normals and the four tiers into one loop. `jax_threefry_partitionable`, which is on by itself, throws
half of the generator's words away, and what it is for, arrays over several devices, is not used: off, a path-step takes
5.3 ns of one processor and not 7.5. Tried with it on and slower, beside 5.9 then: counting the steps before a breach
6.1, steps unrolled by four 8.9, all blocks at once 6.9, the noise of a block drawn ahead 9.3, Box and Muller's pairs in
place of `random.normal` 11.9, and the generators rbg and unsafe_rbg in place of threefry: 36 each with `random.normal`,
24 and 19 with pairs. XLA fuses neither them nor pairs.

It runs in processes of its own, one kept to each processor, which sizes XLA's pool of threads when it starts. On two
processors they took, still with it on, 6.5 ns of processor time a path-step, and one process with a device for each
processor 9. JAX is kept to the CPU where it would find a GPU.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

from bench.peers import Walked, terms

BLOCK = 16_384  # measured: 8,192 5.7, 16,384 5.3, 32,768 5.3, 65,536 5.4 ns a path-step


@cache
def _jax() -> Any:
    """Import JAX, kept to the CPU, with the faster way of its generator."""
    os.environ["JAX_PLATFORMS"] = "cpu"  # is read once, by the import
    import jax

    jax.config.update("jax_threefry_partitionable", False)
    return jax


@cache
def _blocks() -> Any:
    """Return the compiled walk of blocks, by their keys."""
    jax, job = _jax(), terms()
    jnp = jax.numpy
    barriers = jnp.asarray(job.barriers, jnp.float32)[:, None]

    def step(state: Any, k: Any) -> tuple[Any, None]:
        log_price, first, key = state
        key, now = jax.random.split(key)
        log_price += job.drift + job.scale * jax.random.normal(now, log_price.shape, jnp.float32)
        first = jnp.minimum(first, jnp.where(log_price <= barriers, k, job.steps))
        return (log_price, first, key), None

    def block(key: Any) -> tuple[Any, Any]:
        start = jnp.zeros(BLOCK, jnp.float32), jnp.full((len(barriers), BLOCK), job.steps, jnp.int32), key
        (log_price, first, _), _ = jax.lax.scan(step, start, jnp.arange(job.steps, dtype=jnp.int32))
        return jnp.exp(log_price) - job.debt, first

    return jax.jit(lambda keys: jax.lax.map(block, keys))


def walk(paths: int, seed: int) -> Walked:
    """Walk the job, in whole blocks."""
    jax = _jax()
    equity, first = _blocks()(jax.random.split(jax.random.key(seed), -(-paths // BLOCK)))
    return np.asarray(equity).ravel(), np.asarray(first).transpose(1, 0, 2).reshape(4, -1)


def walked(paths: int, seed: int) -> tuple[int, float, list[float]]:
    """Walk, and return how many paths, their mean closing equity and the share that breached each tier."""
    equity, first = walk(paths, seed)
    return equity.size, float(equity.mean(dtype=np.float64)), (first < terms().steps).mean(axis=1).tolist()
