"""From the JSON of a benchmark run to the README's tables, docs/benchmarks.md and two figures."""
