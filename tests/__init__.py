"""Tests, mirroring the package, and the oracles they ask."""
