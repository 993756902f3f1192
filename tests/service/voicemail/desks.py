"""A desk over real folders, with clocks of the test's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from acd.service.voicemail.boxes import Boxes, BoxSpec, LockOut
from acd.service.voicemail.desk import VoicemailDesk
from acd.service.voicemail.drafts import Drafts
from acd.service.voicemail.pins import Lockouts
from acd.service.voicemail.recordings import KeptRecordings
from acd.service.voicemail.store import MessageStore
from ivr.context import CallContext
from ivr.line import RecordLimits
from ivr.recordings import Manner
from tests.service.voicemail.sounds import record

# Cheap to compare, for tests: 4711.
PIN_HASH = "$argon2id$v=19$m=64,t=1,p=1$r3LhLqO14TesHnNdTcHp0g$A53e6AgBwtOCvP4TF473foGJtXI/i1pv4QKFIgSXHKw"


def spec(name: str = "cards", **more: object) -> BoxSpec:
    settings: dict[str, object] = {
        "title": name.title(),
        "number": "501",
        "manner": Manner(limits=RecordLimits(longest_s=60.0, silence_s=3), shortest_s=2.0),
        "pin_hash": PIN_HASH,
    } | more
    return BoxSpec(name=name, **settings)  # type: ignore[arg-type]


def call(call_id: str = "c1", **more: object) -> CallContext:
    settings: dict[str, object] = {"caller": "+49301", "dialled": "500", "language": "en", "data": {"topic": "card"}}
    return CallContext(call_id=call_id, **(settings | more))  # type: ignore[arg-type]


@dataclass
class Desk:
    """Everything of voicemail that needs no telephone."""

    folder: Path
    boxes: Boxes = field(default_factory=lambda: Boxes(by_name={"cards": spec()}))
    now: float = 1_700_000_000.0
    agent: str = ""

    def __post_init__(self) -> None:
        (self.folder / "recordings").mkdir(exist_ok=True)
        self.open()

    def open(self) -> None:
        """Begin anew, as the next process does."""
        folder = self.folder / "voicemail"
        self.store = MessageStore(folder, lambda: self.now)
        self.drafts = Drafts(folder / ".drafts", self.folder / "recordings", wall=lambda: self.now)
        self.lockouts = Lockouts(self.folder / "pins.json", lambda: self.now, lambda: self.boxes.lock_out)
        self.desk = VoicemailDesk(
            lambda: self.boxes,
            self.store,
            self.drafts,
            self.lockouts,
            self.folder / "recordings",
            lambda: self.now,
            agent_of=lambda _: self.agent,
            queue_of=lambda _: ("cards", 50),
        )
        self.recordings = KeptRecordings(self.folder / "kept", self.drafts, lambda: 30, lambda: self.now)
        self.desk.load()

    async def leave(
        self, seconds: float = 5.0, call_id: str = "c1", *, urgent: bool = False, box: str = "cards"
    ) -> str:
        """A caller leaves a message; its id."""
        draft = await self.desk.open(box, call(call_id), "main.leave")
        record(draft.path, seconds)
        await self.desk.deliver(draft, urgent=urgent, hung_up=False)
        return draft.id


def with_boxes(*boxes: BoxSpec, **lock_out: float) -> Boxes:
    return Boxes(by_name={box.name: box for box in boxes}, lock_out=LockOut(**lock_out))  # type: ignore[arg-type]
