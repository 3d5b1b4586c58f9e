"""Numba kernels: arrays and NamedTuples in, arrays out. Never validates, never raises."""
