"""What a config asks for, ready to be simulated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kernel.config.simulation import place_of
from kernel.errors import Incomplete, InvalidInput, Problem
from kernel.report.introduction import Case
from kernel.simulation import simulate as simulation
from kernel.simulation.outcome import Outcome
from kernel.simulation.settings import least_record

LEFT_ALONE = "{} are of the account left alone: the escalation that the config states is left out"


@dataclass(frozen=True, kw_only=True)
class Run(Case):
    """What a config file asks for, checked."""

    simulation: dict[str, Any]
    """Keyword arguments of `simulate`."""
    files: tuple[Path, ...] = ()
    """That were read."""

    def left_alone(self, what: str) -> Run:
        """Return the run without its escalation, and with a note, if it has one.

        Args:
            what: is estimated of the account left alone, such as "thresholds".
        """
        if self.escalation is None:
            return self
        return replace(self, escalation=None, notes=(*self.notes, LEFT_ALONE.format(what)))

    def simulate(self, **changes: Any) -> Outcome:
        """Simulate what was loaded: the same bits as `margin run`.

        What is kept follows from `record` as the config states it; where it does not, it is a summary, or the paths
        where an escalation, `sampling` or `importance` needs them.

        Args:
            changes: keyword arguments of `kernel.simulate`, in place of what the config states, such as
                record="paths", executor or progress.

        Raises:
            InvalidInput: with every problem found, by the config's names.

        Example:
            `outcome = kernel.load("margin.toml").simulate(record="paths", seed=7)`
        """
        settings = {**self.simulation, "levels": self.levels, "escalation": self.escalation, **changes}
        acts = settings["escalation"] is not None
        settings.setdefault("record", "paths" if acts else least_record(settings))
        try:
            outcome = simulation.simulate(self.market, self.account, self.ladder, **settings)
        except Incomplete:  # nothing of it is to be mended in a config
            raise
        except InvalidInput as invalid:
            renamed = [Problem(place_of(field), message) for field, message in invalid.problems]
            raise InvalidInput(renamed) from None
        if self.source is None:
            return outcome
        return replace(outcome, provenance={**outcome.provenance, "history": self.source._asdict()})
