"""How far every measure is from the truth: a file each; `python -m bench.pages.accuracy` writes the page."""
