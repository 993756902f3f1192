"""The plain models: one queue, Poisson arrivals, exponential handling times; M/M/c, with patience M/M/c+M."""

from __future__ import annotations

from dataclasses import dataclass

from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from acd.simulator.arrivals import Stream, poisson_calls
from acd.simulator.distributions import Exponential
from acd.simulator.simulation import Scenario

__all__ = ["PLAIN_QUEUE", "PlainModel", "plain_scenario"]

PLAIN_QUEUE = "default"


@dataclass(frozen=True, slots=True)
class PlainModel:
    """Rates and staff. ``aht_s``: mean handling time. ``patience_s``: mean patience, None: callers never hang up.

    ``calls`` are measured, after ``warm_up_calls`` that are not.
    """

    rate_per_hour: float
    aht_s: float
    patience_s: float | None
    agents: int
    calls: int
    warm_up_calls: int
    service_level_s: float = 20.0

    @property
    def load(self) -> float:
        """Offered load in erlangs: arrivals per second times handling time."""
        return self.rate_per_hour * self.aht_s / 3600.0


def plain_scenario(model: PlainModel, seed: int) -> Scenario:
    """Return the scenario: every agent answers at once, calls go to the agent idle longest, first come first served."""
    stream = Stream(
        PLAIN_QUEUE,
        model.rate_per_hour,
        Exponential(model.aht_s),
        None if model.patience_s is None else Exponential(model.patience_s),
    )
    routing = RoutingSpec(
        queues={PLAIN_QUEUE: QueueSpec(PLAIN_QUEUE, service_level_s=model.service_level_s)},
        agents={
            f"agent-{number}": AgentSpec(f"agent-{number}", queues={PLAIN_QUEUE: number})
            for number in range(1, model.agents + 1)
        },
    )
    return Scenario(
        routing=routing,
        calls=poisson_calls([stream], seed, count=model.warm_up_calls + model.calls),
        seed=seed,
        warm_up_calls=model.warm_up_calls,
        measured_calls=model.calls,
    )
