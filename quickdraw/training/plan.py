"""When a training evaluates, reports, writes checkpoints, and ends."""

from __future__ import annotations

import dataclasses
import math

from quickdraw.training.settings import Settings

_REPORT_EVERY_STEPS = 100


@dataclasses.dataclass
class Plan:
    """How a training goes, in steps.

    Attributes:
        total: the step at which it ends.
        evaluate: steps between two evaluations; a fraction when they are counted in epochs.
        checkpoint: steps between two checkpoints.
    """

    total: int
    evaluate: float
    checkpoint: int

    def next_event(self, step: int) -> int:
        """Return the next step at which the loop has to do more than train."""
        every = (self.evaluate, self.checkpoint, _REPORT_EVERY_STEPS)
        return min(self.total, *(_next_multiple(step, steps) for steps in every))

    def reports_at(self, step: int) -> bool:
        """Return whether a report is due at this step."""
        return step == self.total or step % _REPORT_EVERY_STEPS == 0

    def evaluates_at(self, step: int) -> bool:
        """Return whether an evaluation is due at this step."""
        return step in (self.total, _next_multiple(step - 1, self.evaluate))


def plan_of(settings: Settings, records: int) -> Plan:
    """Return the plan of a training on so many drawings."""
    epoch = records / settings.batch_size
    total = max(1, round(settings.num_epochs * epoch))
    unit = epoch if isinstance(settings.eval_every, float) else 1
    return Plan(
        total=min(total, settings.max_steps or total),
        evaluate=max(1, settings.eval_every * unit),
        checkpoint=settings.checkpoint_every_steps,
    )


def _next_multiple(step: int, every: float) -> int:
    """Return the first of every, 2 * every, …, each rounded, that lies behind the step."""
    times = math.floor(step / every)
    return next(at for n in (times, times + 1, times + 2) if (at := round(n * every)) > step)
