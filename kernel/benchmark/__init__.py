"""A one-minute benchmark of this machine, and the machines measured so far."""

from kernel.benchmark.machines import described as described
from kernel.benchmark.machines import recorded as recorded
from kernel.benchmark.measures import MEASURES as MEASURES
from kernel.benchmark.rounds import SCHEMA as SCHEMA
from kernel.benchmark.rounds import measured as measured
