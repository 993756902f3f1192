"""The gauges and counters that are read from the running process when somebody scrapes it."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric

from acd.core.engine import Engine
from acd.service.asterisk_link import AsteriskLink
from acd.service.callbacks.desk import Callbacks
from acd.service.metrics import counter, engine_state, gauge
from acd.service.recorder import Recorder
from acd.service.reload import Reloading
from ami_bridge.agi_server import AgiServer
from ami_bridge.ami_client import AmiClient

__all__ = ["ProcessFigures"]


class ProcessFigures:
    """Reads them from the parts that have them."""

    def __init__(
        self,
        engine: Engine,
        link: AsteriskLink,
        reloading: Reloading,
        callbacks: Callbacks,
        recorder: Recorder,
        agi_server: AgiServer,
        ami: AmiClient,
    ) -> None:
        self._engine = engine
        self._link = link
        self._reloading = reloading
        self._callbacks = callbacks
        self._recorder = recorder
        self._agi_server = agi_server
        self._ami = ami

    def collect(self) -> Iterator[Metric]:
        """Yield them, as they stand."""
        yield from engine_state(self._engine)
        yield gauge("acd_ami_connected", "1 while in step with Asterisk.", float(self._link.connected))
        reloading = self._reloading
        yield gauge(
            "acd_config_last_reload_successful", "1 unless the last reload was refused.", reloading.last_successful
        )
        yield gauge(
            "acd_config_last_reload_success_timestamp_seconds",
            "When the configuration in force was taken.",
            reloading.last_success_s,
        )
        yield gauge("acd_callbacks", "Callers who are still to be called back.", len(self._callbacks))
        results = CounterMetricFamily(
            "acd_callback_results", "Callbacks, and wishes for one, by what became of them.", labels=["queue", "result"]
        )
        for (queue, result), count in self._callbacks.results.items():
            results.add_metric([queue, result], count)
        yield results
        yield gauge("acd_journal_failing", "1 while inputs cannot be kept.", float(self._recorder.failing))
        yield gauge("acd_agi_sessions", "FastAGI sessions under way.", self._agi_server.sessions)
        stats = self._agi_server.stats
        refused = {
            "limit": stats.refused_limit,
            "script": stats.refused_script,
            "garbage": stats.garbage,
            "timeout": stats.env_timeouts,
        }
        yield counter("acd_agi_refused", "FastAGI connections refused.", refused, "reason")
        ami = self._ami.stats
        odd = {
            "agi-forged": stats.torn_environments,
            "agi-write-timeout": stats.write_timeouts,
            "agi-handler-error": stats.handler_errors,
            "ami-forged": ami.forged,
            "ami-garbage": ami.garbage,
            "ami-handler-error": ami.event_errors,
            "ami-late-reply": ami.late_replies,
        }
        yield counter("acd_protocol_oddities", "What was wrong on the lines to Asterisk; calls go on.", odd, "kind")
        yield CounterMetricFamily("acd_ami_logins", "Logins at Asterisk's manager.", ami.connections)
