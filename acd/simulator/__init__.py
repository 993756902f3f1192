"""The engine in virtual time: what would happen with these calls, these agents, this configuration."""

from acd.simulator.arrivals import PlannedCall, Stream, poisson_calls
from acd.simulator.distributions import Constant, Distribution, Empirical, Exponential, LogNormal
from acd.simulator.figures import QueueFigures
from acd.simulator.plain import PLAIN_QUEUE, PlainModel, plain_scenario
from acd.simulator.simulation import Results, Scenario, Simulation, Watcher
from acd.simulator.staff import AgentBehaviour, ShiftChange

__all__ = [
    "PLAIN_QUEUE",
    "AgentBehaviour",
    "Constant",
    "Distribution",
    "Empirical",
    "Exponential",
    "LogNormal",
    "PlainModel",
    "PlannedCall",
    "QueueFigures",
    "Results",
    "Scenario",
    "ShiftChange",
    "Simulation",
    "Stream",
    "Watcher",
    "plain_scenario",
    "poisson_calls",
]
