"""How far every measure is from the truth: one file for each question; `python -m bench.accuracy` writes the page."""
