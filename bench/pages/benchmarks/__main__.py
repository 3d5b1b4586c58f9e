"""Write the README's part, docs/benchmarks.md and its figures.

python -m pytest bench -n 0 --benchmark-json=bench.json && python -m bench.pages.benchmarks bench.json
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from bench.pages.benchmarks import figures
from bench.pages.benchmarks.cases import UnusableError, read
from bench.pages.benchmarks.page import page
from bench.pages.benchmarks.readme import section
from kernel.errors import InvalidInput

ROOT = Path(__file__).parents[3]
_BEGIN, _END = "<!-- benchmarks: written by python -m bench.pages.benchmarks -->", "<!-- end of benchmarks -->"


def write(source: Path, root: Path = ROOT) -> None:
    """Write everything, or nothing if the run lacks something.

    Raises:
        UnusableError: naming what it lacks.
    """
    run, readme = read(source), root / "README.md"
    between = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    text = readme.read_text(encoding="utf-8")
    if not between.search(text):
        raise UnusableError(f"{readme} has no {_BEGIN} ... {_END}")
    part, whole = "\n".join(section(run)), "\n".join(page(run))
    figures.throughput(run, root / "docs" / "throughput.svg")
    figures.error(run, root / "docs" / "error.svg")
    readme.write_text(between.sub(lambda _: f"{_BEGIN}\n{part}\n{_END}", text), encoding="utf-8")
    (root / "docs" / "benchmarks.md").write_text(whole + "\n", encoding="utf-8")


def main() -> None:
    """Write everything of a run."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages.benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="what `pytest bench -n 0 --benchmark-json` wrote")
    try:
        write(parser.parse_args().run)
    except (UnusableError, InvalidInput) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
