"""The kinds of inputs."""

from __future__ import annotations

from tests.fuzz.calls import Calls
from tests.fuzz.configs import Configs
from tests.fuzz.harness import Fuzzer
from tests.fuzz.options import Options
from tests.fuzz.prices import Prices

KINDS: dict[str, type[Fuzzer]] = {kind.name: kind for kind in (Configs, Prices, Options, Calls)}
