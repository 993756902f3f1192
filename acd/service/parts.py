"""The parts of the process, put together."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
from aiohttp import web

from acd.core.engine import Engine
from acd.core.events import (
    Event,
    LastAgentsRestored,
    LegAnswered,
)
from acd.service.agent_codes import AgentDoor
from acd.service.agent_presences import AgentPresences
from acd.service.agent_states import AgentStateFile
from acd.service.asterisk_link import AsteriskLink, LinkParts
from acd.service.asterisk_ports import make_agi_server, make_ami_client
from acd.service.backend import WebBackend
from acd.service.calendar_clock import CalendarClock
from acd.service.calendars.desk import CalendarDesk
from acd.service.calendars.overrides import Overrides
from acd.service.calendars.queue_states import EngineQueues
from acd.service.call_log import CallLog
from acd.service.call_screen import CallScreen
from acd.service.callbacks.wiring import Surroundings, customer_of, make_callbacks
from acd.service.clocks import Clocks
from acd.service.compile import compile_config
from acd.service.confirming import ConfirmingPhones
from acd.service.devices import DeviceWatch
from acd.service.engine_host import EngineHost
from acd.service.follow_up.aftercare import Aftercare, AftercareTools
from acd.service.last_agents import LastAgentFile
from acd.service.late_legs import LateLegs
from acd.service.legs import LegTracker
from acd.service.live_site import LiveSite
from acd.service.lookups.hooks import MenuWebhooks
from acd.service.lookups.service import LookUpService
from acd.service.menu_tools import menu_tools
from acd.service.messages.service import open_outbox
from acd.service.messages.settings import spool_limits
from acd.service.messages.web import OutboxWeb
from acd.service.metrics import Metrics, TimedEngine
from acd.service.one_agent import OneAgent
from acd.service.outbound import Exchange, Outbound
from acd.service.overflow import OverflowActions
from acd.service.process_figures import ProcessFigures
from acd.service.prompts.site import Voices, prompt_store
from acd.service.recorder import Recorder
from acd.service.reload import Reloading
from acd.service.session_tools import SessionTools
from acd.service.sessions import Sessions
from acd.service.site_taking import SiteTaking, TakenBy
from acd.service.stay_tools import StayTools
from acd.service.stocktaking import RestoredTalks, Stocktaking
from acd.service.voicemail.wiring import VoicemailAround, make_queue_items, make_voicemail
from acd.web import calendars, callbacks, calls, messages, surveys, voicemail
from ami_bridge.ami_client import AmiState, AmiStatus
from config import Config, load
from ivr.interpreter import Interpreter
from ivr.outcome import NodeId
from ivr.record import OnStep
from routing.strategies import installed_strategies

__all__ = ["Parts"]

log = structlog.get_logger(__name__)


class Parts:
    """Everything that runs, wired; nothing is started here."""

    def __init__(
        self,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        voices: Voices,
        read: Callable[[], Config] | None = None,
    ) -> None:
        state_dir = Path(config.acd.state_dir)
        self._site = LiveSite(compile_config(config))
        routing = self._site.compiled.routing
        self._clocks = Clocks(loop.time, time.time)
        self.metrics = Metrics(version("acd-engine"))
        seed = secrets.randbits(64)
        self.engine = Engine(
            routing,
            random.Random(seed),  # noqa: S311 - chance among agents, no secret
            loop.time(),
            strategies=installed_strategies(),
        )
        self.link = AsteriskLink()
        self.sessions = Sessions(self.link.ask_who_answered)
        self.host = EngineHost(TimedEngine(self.engine, self.metrics.handle_seconds), self.sessions.dispatch, loop)
        self.host.observe(self.metrics.observe)
        self.host.observe(self.link.observe)
        self.recorder = Recorder(state_dir / "journal", self.engine, seed, time.time, version("acd-engine"))
        self.host.observe(self.recorder.observe)
        agents_by_phone = self._site.agents_by_phone
        post = self.host.post
        self.devices = DeviceWatch(self._site.agents_by_device, post, loop.call_later)
        self._tracker = LegTracker(self._post_of_dial, self.link.hang_up, loop.call_later, self.devices.on_activity)
        self._late = LateLegs(
            post,
            self.link.originate,
            self.link.hang_up,
            self._winner_of,
            self.devices.on_activity,
            counts_from=int(time.time() * 1000),
        )
        restored = RestoredTalks(post, self.devices.on_activity)
        self.agent_states = AgentStateFile(state_dir / "agents.json")
        agents = self._agents = AgentPresences(self.engine.agents, post, self.agent_states)
        self.last_agents = LastAgentFile(state_dir / "last-agents.json", self.engine.last_agents)
        self.host.observe(self.last_agents.observe)
        self.host.observe(CallLog(self.engine.calls, self.engine.world.ended).observe)
        overrides = Overrides(state_dir / "calendars.json", time.time)
        self._calendar = CalendarClock(post, time.time, loop.call_later, overrides.override)
        self.calendars = CalendarDesk(overrides, lambda: self._site.compiled, time.time, self._calendar.look)
        self.lookups = LookUpService(config.acd.http, lambda: self._site.compiled, self.metrics.registry)
        self.metrics.watch(self.lookups.metrics)
        self.outbox = open_outbox(
            state_dir / "spool",
            spool_limits(config.acd.spool),
            lambda: self._site.compiled.channels,
            self.lookups.hooks,
        )
        self.metrics.watch(self.outbox.metrics)
        self.menu_webhooks = MenuWebhooks(self.outbox)
        self.aftercare = Aftercare(
            state_dir,
            self.metrics.registry,
            AftercareTools(
                context_of=self.sessions.context_of,
                rules=lambda: self._site.compiled.follow_up,
                post=self.outbox.post,
                surveys_keep_days=lambda: self._site.compiled.surveys_keep_days,
                wall=time.time,
                now=loop.time,
                uniform=random.uniform,
            ),
        )
        self.host.observe(self.aftercare.observe)
        self.metrics.watch(self.aftercare.metrics)
        around_voicemail = VoicemailAround(
            engine=self.engine,
            post=post,
            site=self._site,
            sessions=self.sessions,
            link=self.link,
            late=self._late,
            clocks=self._clocks,
            outbox=self.outbox,
        )
        self.voicemail = make_voicemail(state_dir, Path(config.acd.recordings_dir), around_voicemail)
        self.metrics.watch(self.voicemail.metrics)
        self.voicemail.store.watch(self.aftercare.voicemail_changed)
        self.prompts = prompt_store(config.acd, config.folder, voices)
        self.prompts.use(self._site.compiled.prompts)
        self.taking = SiteTaking(
            TakenBy(
                site=self._site,
                engine=self.engine,
                post=post,
                prompts=self.prompts,
                devices=self.devices,
                calendar=self._calendar,
                voicemail=self.voicemail,
                link=self.link,
            )
        )
        stay = StayTools(
            tracker=self._tracker,
            late=self._late,
            variables=lambda: self.taking.variables,
            post=post,
            phones=self._site.phones,
            queues=self._site.queues,
            stop_playback=self.link.stop_playback,
            can_stop_playback=lambda: self.link.connected,
        )
        self.callbacks = make_callbacks(
            state_dir / "callbacks.json",
            Surroundings(
                engine=self.engine,
                post=post,
                site=self._site,
                link=self.link,
                late=self._late,
                clocks=self._clocks,
                sounds=self.prompts,
                calendars=self.calendars,
                new_call_id=_new_call_id,
                variables=lambda: self.taking.variables,
                let_go=self._promised,
                customer=self.sessions.customer,
            ),
            loop,
        )
        self.host.observe(self.callbacks.observe)
        self.callbacks.watch(self.aftercare.callback_ended)
        self._tools = menu_tools(
            wall=time.time,
            calendars=self.calendars,
            queues=EngineQueues(self.engine.queues, loop.time),
            mailboxes=self.voicemail.desk,
            lookups=self.lookups.desk,
            recordings=self.voicemail.recordings,
            webhooks=self.menu_webhooks,
            surveys=self.aftercare.surveys,
            callbacks=self.callbacks.promising,
            exchange=Exchange(self._outbound),
        )
        self.voicemail_items = make_queue_items(
            self.voicemail, around_voicemail, self.prompts, lambda: self.taking.variables
        )
        self.sessions.connect(
            SessionTools(
                post=post,
                calls=self.engine.calls,
                clocks=self._clocks,
                new_call_id=_new_call_id,
                interpreter=self._interpreter,
                entry_node=self._site.entry_node,
                nodes=lambda: self._site.compiled.forest.nodes,
                sounds=self.prompts,
                taken_over=restored.taken_over,
                came_in=self.aftercare.courses.came_in,
                stay=stay,
                overflow=OverflowActions(
                    self._outbound,
                    lambda: self._site.compiled.forest.nodes,
                    self.voicemail.desk.takes_message,
                    post,
                ),
                survey=self._survey_of,
                customers=self.lookups.customers,
                customer=lambda number: customer_of(self._site, number),
                one_agent=OneAgent(self.engine.agents),
                keys=lambda queue: self._site.compiled.keys.get(queue, {}),
                promised_since=self.callbacks.promised_since,
                call_later=loop.call_later,
            ),
            agents.changed,
            self.callbacks,
            self.voicemail_items,
        )
        door = AgentDoor(
            agents_by_phone,
            agents.act,
            self.prompts,
            lambda: self._site.agents_language,
            lambda: self._site.compiled.not_ready_reasons,
        )
        self.agi_server = make_agi_server(
            config.acd, callers=self.sessions.serve, legs=self._late.serve, agents=door.serve
        )
        self.ami = make_ami_client(config.acd, self.link, self._on_ami_state, self.metrics.ami_rtt_seconds.observe)
        stocktaking = Stocktaking(
            post,
            self.engine.calls,
            agents_by_phone,
            self.sessions,
            self._tracker,
            self.devices,
            restored,
            self._clocks,
        )
        self._link_parts = LinkParts(
            post=post,
            sessions=self.sessions,
            tracker=self._tracker,
            late=self._late,
            confirming=ConfirmingPhones(self.link.hang_up),
            devices=self.devices,
            restored=restored,
            stocktaking=stocktaking,
            agents_by_phone=agents_by_phone,
            callbacks=self.callbacks,
        )
        reloading = Reloading(
            config,
            self._site.compiled,
            read=read or partial(load, config.folder),
            prepare=self.taking.prepare,
            take=self.taking.take,
            strategies=frozenset(self.engine.world.strategies),
        )
        self.backend = WebBackend(
            self.engine, self._clocks, self.link, agents, self.taking, reloading, self.callbacks.shown
        )
        self.metrics.watch(
            ProcessFigures(
                self.engine,
                self.link,
                reloading,
                self.callbacks,
                self.recorder,
                self.agi_server,
                self.ami,
            ).collect
        )

    def areas(self) -> Iterator[Callable[[web.Application], None]]:
        """Yield what adds the routes of each further subject to the web port."""
        yield partial(calendars.add_routes, desk=self.calendars)
        yield partial(calls.add_routes, backend=CallScreen(self.sessions.context_of))
        yield partial(callbacks.add_routes, desk=self.callbacks)
        yield partial(messages.add_routes, backend=OutboxWeb(self.outbox))
        yield partial(surveys.add_routes, backend=self.aftercare.surveys)
        yield partial(voicemail.add_routes, backend=self.voicemail.web)

    def begin(self) -> None:
        """Give the engine its first inputs, the journal open: offers wait, agents are as they were."""
        self.recorder.start(self._site.compiled.routing, self.host.now())
        self.link.connect(self.ami, self._link_parts)
        last_agents = self.last_agents.load()
        if last_agents:
            self.host.post(LastAgentsRestored(last_agents))
        self.calendars.load()
        self._calendar.take(self._site.compiled)
        self.callbacks.restore()
        self.voicemail.load()
        self.aftercare.load()
        self._agents.restore()

    def close(self) -> None:
        """Take no more inputs, and close the journal."""
        self._calendar.close()
        self.host.close()
        self.recorder.close()

    # Inside.

    async def _promised(self, call_id: str) -> None:
        """A caller has been promised a callback."""
        self.aftercare.courses.promised(call_id)
        await self.sessions.wait_no_longer(call_id)

    def _survey_of(self, queue: str) -> NodeId | None:
        return self._site.compiled.surveys.get(queue)

    def _outbound(self) -> Outbound:
        return self._site.compiled.outbound

    def _post_of_dial(self, event: Event) -> None:
        """Tell the engine what a phone of a dial did; one that was picked up silences those beside the dial."""
        self.host.post(event)
        if isinstance(event, LegAnswered):
            self._late.lost_to_dial(event.offer_id)

    def _on_ami_state(self, status: AmiStatus) -> None:
        self.link.on_state(status)
        if status.state is AmiState.READY:
            self.voicemail.lamps.refresh()  # this Asterisk may be a new one, and know nothing

    def _winner_of(self, offer_id: str) -> str:
        offer = self.engine.offers.get(offer_id)
        return offer.winner.id if offer is not None and offer.winner is not None else ""

    def _interpreter(self, on_step: OnStep) -> Interpreter:
        site = self._site.compiled
        return Interpreter(site.forest, on_step=on_step, limits=site.limits, tools=self._tools)


def _new_call_id() -> str:
    """Make an id: the moment, to be read and sorted by people, and enough chance to be one of a kind."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
