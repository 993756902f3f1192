"""The parts of the process, put together; and what the web port asks of them."""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import structlog
from aiohttp import web

from acd.core.engine import Engine
from acd.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentReady,
    ConfigurationChanged,
    Event,
    LastAgentsRestored,
    LegAnswered,
)
from acd.core.explain import Explanation
from acd.core.transitions import AgentState
from acd.service.agent_codes import AgentDoor, act
from acd.service.agent_states import AgentStateFile, presence_of
from acd.service.asterisk_link import AsteriskLink, LinkParts
from acd.service.calendar_clock import CalendarClock
from acd.service.calendars.desk import CalendarDesk
from acd.service.calendars.overrides import Overrides
from acd.service.calendars.queue_states import EngineQueues
from acd.service.call_log import CallLog
from acd.service.call_session import SessionTools
from acd.service.callbacks.wiring import Surroundings, customer_of, make_callbacks
from acd.service.clocks import Clocks
from acd.service.compile import Compiled, compile_config
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
from acd.service.metrics import Metrics, TimedEngine
from acd.service.one_agent import OneAgent
from acd.service.outbound import Exchange, Outbound
from acd.service.overflow import OverflowActions
from acd.service.process_figures import ProcessFigures
from acd.service.prompts.site import Voices, prompt_store, speech_of_site
from acd.service.queue_stay import StayTools
from acd.service.recorder import Recorder
from acd.service.reload import Refused, Reloading
from acd.service.sessions import Sessions
from acd.service.status import dated, status_of
from acd.service.stocktaking import RestoredTalks, Stocktaking
from acd.service.voicemail.queue_items import ItemTools, QueueItems
from acd.service.voicemail.service import VoicemailService, VoicemailSurroundings
from acd.web import calendars, callbacks, surveys, voicemail
from acd.web.backend import AgentAction, ConfigurationRefused, Json, Readiness
from ami_bridge.agi_server import AgiLimits, AgiServer
from ami_bridge.agi_session import AgiSession
from ami_bridge.ami_client import AmiClient, AmiState, AmiStatus, AmiTimings
from ami_bridge.translation import phone_of_channel
from config import Config, ConfigErrors, Position, load
from ivr.interpreter import Interpreter
from ivr.outcome import NodeId
from ivr.record import OnStep
from ivr.speech import Prompt
from routing.strategies import installed_strategies

__all__ = ["Parts"]

log = structlog.get_logger(__name__)

_PLAIN_PATH = re.compile(r"[\w./-]+")
CALL_SCRIPT = "acd/call"
LEG_SCRIPT = "acd/leg"
AGENT_SCRIPTS = "acd/agent/*"


class Parts:
    """Everything that runs, wired; nothing is started here. Implements ``acd.web.backend.Backend``."""

    def __init__(
        self,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        voices: Voices,
        read: Callable[[], Config] | None = None,
    ) -> None:
        self._site = LiveSite(compile_config(config))
        routing = self._site.compiled.routing
        self._clocks = Clocks(loop.time, time.time)
        self.draining = False
        self._variables: tuple[tuple[str, str], ...] = ()
        self._prompts_ready = False
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
        self.recorder = Recorder(
            Path(config.acd.state_dir) / "journal", self.engine, seed, time.time, version("acd-engine")
        )
        self.host.observe(self.recorder.observe)
        agents_by_phone = self._site.agents_by_phone
        post = self.host.post
        self.devices = DeviceWatch(self._site.agents_by_device, post, loop.call_later)
        self._tracker = LegTracker(self._post_of_dial, self.link.hang_up, loop.call_later, self.devices.on_activity)
        self._late = LateLegs(post, self.link.originate, self.link.hang_up, self._winner_of, self.devices.on_activity)
        restored = RestoredTalks(post, self.devices.on_activity)
        self.agent_states = AgentStateFile(Path(config.acd.state_dir) / "agents.json")
        self.last_agents = LastAgentFile(Path(config.acd.state_dir) / "last-agents.json", self.engine.last_agents)
        self.host.observe(self.last_agents.observe)
        self.host.observe(CallLog(self.engine.calls, self.engine.world.ended).observe)
        overrides = Overrides(Path(config.acd.state_dir) / "calendars.json", time.time)
        self._calendar = CalendarClock(post, time.time, loop.call_later, overrides.override)
        self.calendars = CalendarDesk(overrides, lambda: self._site.compiled, time.time, self._calendar.look)
        self.lookups = LookUpService(config.acd.http, lambda: self._site.compiled, self.metrics.registry)
        self.metrics.watch(self.lookups.metrics)
        self.outbox = open_outbox(
            Path(config.acd.state_dir) / "spool",
            spool_limits(config.acd.spool),
            lambda: self._site.compiled.channels,
            self.lookups.hooks,
        )
        self.metrics.watch(self.outbox.metrics)
        self.menu_webhooks = MenuWebhooks(self.outbox)
        self.aftercare = Aftercare(
            Path(config.acd.state_dir),
            self.metrics.registry,
            AftercareTools(
                context_of=self.sessions.context_of,
                rules=lambda: self._site.compiled.follow_up,
                post=self.outbox.post,
                wall=time.time,
                now=loop.time,
                uniform=random.uniform,
            ),
        )
        self.host.observe(self.aftercare.observe)
        self.metrics.watch(self.aftercare.metrics)
        self.voicemail = VoicemailService(
            Path(config.acd.state_dir),
            Path(config.acd.recordings_dir),
            VoicemailSurroundings(
                boxes=lambda: self._site.compiled.boxes,
                keep_days=lambda: self._site.compiled.recordings_keep_days,
                wall=time.time,
                originate=self.link.originate,
                agent_of=self._agent_of_call,
                queue_of=self._queue_of_call,
                put=self.outbox.put,
                agents=self.engine.agents.keys,
            ),
        )
        self.metrics.watch(self.voicemail.metrics)
        self.voicemail.store.watch(self.aftercare.voicemail_changed)
        self._tools = menu_tools(
            wall=time.time,
            calendars=self.calendars,
            queues=EngineQueues(self.engine.queues, loop.time),
            mailboxes=self.voicemail.desk,
            lookups=self.lookups.desk,
            recordings=self.voicemail.recordings,
            webhooks=self.menu_webhooks,
            surveys=self.aftercare.surveys,
        )
        self.prompts = prompt_store(config.acd, config.folder, voices)
        self.prompts.use(self._site.compiled.prompts)
        stay = StayTools(
            tracker=self._tracker,
            late=self._late,
            variables=lambda: self._variables,
            post=post,
            phones=self._site.phones,
            queues=self._site.queues,
            stop_playback=self.link.stop_playback,
            can_stop_playback=lambda: self.link.connected,
        )
        self.callbacks = make_callbacks(
            Path(config.acd.state_dir) / "callbacks.json",
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
                variables=lambda: self._variables,
                let_go=self._promised,
                customer=self.sessions.customer,
            ),
            loop,
        )
        self.host.observe(self.callbacks.observe)
        self.callbacks.watch(self.aftercare.callback_ended)
        self._tools = replace(self._tools, callbacks=self.callbacks.promising, exchange=Exchange(self._outbound))
        self.voicemail_items = QueueItems(
            ItemTools(
                boxes=lambda: self._site.compiled.boxes,
                desk=self.voicemail.desk,
                queues=self.engine.queues,
                calls=self.engine.calls,
                post=post,
                late=self._late,
                phones=self._site.phones,
                outbound=self._outbound,
                sounds=self.prompts,
                language=lambda: self._site.agents_language,
                variables=lambda: self._variables,
                now=loop.time,
            )
        )
        self.sessions.connect(
            SessionTools(
                post=post,
                calls=self.engine.calls,
                clocks=self._clocks,
                new_call_id=_new_call_id,
                interpreter=self._interpreter,
                entry_node=self._site.entry_node,
                sounds=self.prompts,
                taken_over=restored.taken_over,
                came_in=self.aftercare.courses.came_in,
                stay=stay,
                overflow=OverflowActions(
                    self._outbound,
                    lambda: self._site.compiled.forest.nodes,
                    self.voicemail.desk.takes_message,
                ),
                set_variable=self.link.set_variable,
                can_set_variable=lambda: self.link.connected,
                survey=self._survey_of,
                customers=self.lookups.customers,
                customer=lambda number: customer_of(self._site, number),
                one_agent=OneAgent(self.engine.agents),
                keys=lambda queue: self._site.compiled.keys.get(queue, {}),
                call_later=loop.call_later,
            ),
            self._agent_changed,
            self.callbacks,
            self.voicemail_items,
        )
        door = AgentDoor(
            agents_by_phone,
            self._act,
            self.prompts,
            lambda: self._site.agents_language,
            lambda: self._site.compiled.not_ready_reasons,
        )

        servers = {CALL_SCRIPT: self.sessions.serve, LEG_SCRIPT: self._late.serve}

        async def serve(agi: AgiSession) -> None:
            await servers.get(agi.script, door.serve)(agi)

        agi = config.acd.asterisk.fastagi
        self.agi_server = AgiServer(
            agi.host,
            agi.port,
            serve,
            scripts=(CALL_SCRIPT, LEG_SCRIPT, AGENT_SCRIPTS),
            limits=AgiLimits(max_sessions=agi.max_sessions),
        )
        self.ami = self._ami_client(config)
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
        self._reloading = Reloading(
            config,
            self._site.compiled,
            read=read or partial(load, config.folder),
            prepare=self._prepare,
            take=self._take,
            strategies=frozenset(self.engine.world.strategies),
        )
        self.metrics.watch(
            ProcessFigures(
                self.engine,
                self.link,
                self._reloading,
                self.callbacks,
                self.recorder,
                self.agi_server,
                self.ami,
            ).collect
        )

    def areas(self) -> Iterator[Callable[[web.Application], None]]:
        """Yield what adds the routes of each further subject to the web port."""
        yield partial(calendars.add_routes, desk=self.calendars)
        yield partial(callbacks.add_routes, desk=self.callbacks)
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
        self._restore_agents()

    def close(self) -> None:
        """Take no more inputs, and close the journal."""
        self._calendar.close()
        self.host.close()
        self.recorder.close()

    def _restore_agents(self) -> None:
        """Take over the agents' states of the last run; agents not known then start as configured."""
        stored = self.agent_states.load()
        for agent_id, agent in self.engine.agents.items():
            presence = stored.get(agent_id)
            state = presence.state if presence is not None else AgentState(agent.spec.start)
            reason = presence.reason if presence is not None else ""
            event: Event
            if state is AgentState.READY:
                event = AgentReady(agent_id)
            elif state is AgentState.NOT_READY:
                event = AgentLoggedIn(agent_id, ready=False, reason=reason)
            else:
                event = AgentLoggedOut(agent_id)
            self.host.post(event)

    async def prepare_prompts(self) -> None:
        """Make the site's prompts, so that callers wait for none of them."""
        await self._prepare(self._site.compiled)
        self._prompts_ready = True

    # What the web port asks (acd.web.backend.Backend).

    def readiness(self) -> Readiness:
        """See ``Backend``."""
        reasons = []
        if self.draining:
            reasons.append("draining: the process is ending")
        if self.link.problem:
            reasons.append(self.link.problem)
        elif not self.link.offers_resumed:
            reasons.append("callers of before the start are awaited")
        if not self._prompts_ready:
            reasons.append("prompts are being prepared")
        return Readiness(tuple(reasons))

    def status(self) -> Mapping[str, Json]:
        """See ``Backend``."""
        return status_of(self.engine.snapshot(self.host.now()), self._clocks.wall(), self.readiness().reasons)

    def explain_call(self, call_id: str) -> Mapping[str, Json] | None:
        """See ``Backend``."""
        return self._dated(self.engine.explain_call(call_id, self.host.now()))

    def explain_agent(self, agent_id: str) -> Mapping[str, Json] | None:
        """See ``Backend``."""
        return self._dated(self.engine.explain_agent(agent_id, self.host.now()))

    def act_on_agent(self, agent_id: str, action: AgentAction, reason: str) -> str | None:
        """See ``Backend``."""
        agent = self.engine.agents.get(agent_id)
        if agent is None:
            return None
        act(agent, action, reason, self.host.post)
        self._agent_changed(agent_id)
        return agent.state.value

    async def reload(self, *, dry_run: bool) -> Mapping[str, Json]:
        """See ``Backend``."""
        try:
            return asdict(await self._reloading.reload(dry_run=dry_run))
        except ConfigErrors as errors:
            raise ConfigurationRefused(
                str(errors), tuple((at.file, at.line, at.column, text) for at, text in _found(errors))
            ) from errors
        except Refused as refused:
            raise ConfigurationRefused(str(refused)) from refused

    async def undo_reload(self) -> Mapping[str, Json]:
        """See ``Backend``."""
        try:
            return asdict(await self._reloading.undo())
        except Refused as refused:
            raise ConfigurationRefused(str(refused)) from refused

    # Inside.

    async def _prepare(self, site: Compiled) -> None:
        await self.prompts.warm_up(site.prompts, speech=speech_of_site(site), languages=sorted(site.languages))
        # Agents who confirm with a key are asked by the dialplan, which is told the sound by a variable.
        sound = await self.prompts.resolve_all((Prompt("confirm-call"),), self._site.agents_language)
        plain = [file for file in sound.files if _PLAIN_PATH.fullmatch(file)]
        confirming = any(agent.confirm for agent in site.routing.agents.values())
        self._variables = (("__ACD_CONFIRM", "&".join(plain)),) if plain and confirming else ()

    def _take(self, site: Compiled) -> None:
        """Put a changed site in force, between two events: who waits is matched anew within."""
        self.prompts.use(site.prompts)
        new_phones = self._site.take(site, self.engine.agents, self.engine.queues)
        self.devices.forget(new_phones)
        self.host.post(ConfigurationChanged(site.routing))
        self._calendar.take(site)
        self.voicemail.lamps.refresh()
        if new_phones:
            self.link.refresh_devices()

    def _dated(self, explanation: Explanation | None) -> Mapping[str, Json] | None:
        dates: Mapping[str, Json] | None = dated(explanation, self._clocks.to_wall)
        return dates

    def _act(self, agent_id: str, action: AgentAction, reason: str) -> bool:
        agent = self.engine.agents.get(agent_id)
        done = agent is not None and act(agent, action, reason, self.host.post)
        self._agent_changed(agent_id)
        return done

    def _agent_changed(self, agent_id: str) -> None:
        agent = self.engine.agents.get(agent_id)
        if agent is not None:
            self.agent_states.note(agent_id, presence_of(agent))

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

    def _agent_of_call(self, call_id: str) -> str:
        """The agent whose own phone a caller calls from. The channel's name is Asterisk's, no caller can choose it."""
        session = self.sessions.of_call(call_id)
        return self._site.agents_by_phone.get(phone_of_channel(session.channel), "") if session is not None else ""

    def _queue_of_call(self, call_id: str) -> tuple[str, int]:
        """The queue that a caller was in last, and the call's priority there."""
        call = self.engine.calls.get(call_id)
        return (call.queue.spec.id, call.extra_priority) if call is not None and call.queue is not None else ("", 0)

    def _winner_of(self, offer_id: str) -> str:
        offer = self.engine.offers.get(offer_id)
        return offer.winner.id if offer is not None and offer.winner is not None else ""

    def _interpreter(self, on_step: OnStep) -> Interpreter:
        site = self._site.compiled
        return Interpreter(site.forest, on_step=on_step, limits=site.limits, tools=self._tools)

    def _ami_client(self, config: Config) -> AmiClient:
        ami = config.acd.asterisk.ami
        return AmiClient(
            ami.host,
            ami.port,
            ami.user,
            ami.password.get_secret_value() if ami.password is not None else "",
            on_event=self.link.on_event,
            resync=self.link.resync,
            on_state=self._on_ami_state,
            on_rtt=self.metrics.ami_rtt_seconds.observe,
            timings=AmiTimings(connect_timeout_s=ami.connect_timeout_s, pong_timeout_s=ami.event_timeout_s),
        )


def _found(errors: ConfigErrors) -> Iterator[tuple[Position, str]]:
    for problem in errors.errors:
        yield problem.position, problem.message


def _new_call_id() -> str:
    """Make an id: the moment, to be read and sorted by people, and enough chance to be one of a kind."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
