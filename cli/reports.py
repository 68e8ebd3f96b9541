"""What the reporting commands find out: each gives a Struct, to be shown as a table or as JSON."""

import time
from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct

from holdfast.cli.wiring import Archive
from holdfast.domain.errors import SettingsError
from holdfast.domain.ids import ConversationId, EventId, ThreadId, from_text
from holdfast.domain.screen import Screen
from holdfast.infrastructure.log.export import export_lines
from holdfast.infrastructure.log.verify import Verdict, Verifier
from holdfast.projections.funnel import Funnel, StepCount
from holdfast.projections.transcript import Entry, transcript


class _Sent(Struct):
    screens: tuple[Screen, ...]


_screens = msgspec.json.Decoder(_Sent)


class FunnelReport(Struct, frozen=True, kw_only=True):
    """The funnel of one flow; `as_of` is the moment it was read, ISO 8601, UTC."""

    flow: str
    as_of: str
    steps: list[StepCount]


async def funnel(archive: Archive, name: str) -> FunnelReport:
    """Count where people get to in a flow; SettingsError when there is no such flow."""
    flow = archive.flows.newest(name)
    if flow is None:
        known = ", ".join(flow.name for flow in archive.flows)
        raise SettingsError(f"there is no flow {name!r}; there are: {known}")
    as_of = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    counting = Funnel(flow)
    async for thread_id in archive.journal.threads():
        counting.add([archive.codec.bare(record) for record in await archive.journal.thread(thread_id)])
    return FunnelReport(flow=name, as_of=as_of, steps=list(counting.steps.values()))


async def replay(archive: Archive, conversation: str) -> list[Entry]:
    """Tell one conversation; SettingsError when there is none of this id."""
    try:
        identity = ConversationId(from_text(conversation))
    except ValueError:
        raise SettingsError(f"{conversation!r} is not a conversation's id (a UUID)") from None
    thread_id = await archive.journal.thread_of(identity)
    if thread_id is None:
        raise SettingsError(f"there is no conversation {conversation}")
    history = [archive.codec.event(record) for record in await archive.journal.thread(thread_id)]
    return transcript(archive.flows, history, identity, await _shown(archive, thread_id))


async def _shown(archive: Archive, thread_id: ThreadId) -> dict[EventId, str]:
    """Read what was shown in reply to each event, as it was sent."""
    shown: dict[EventId, str] = {}
    for record in await archive.journal.deliveries(thread_id):
        opened = archive.codec.open(record)
        texts = [screen.text for screen in _screens.decode(opened[1]).screens] if opened else ["(erased)"]
        shown[EventId(record.parents)] = "\n\n".join(texts) if record.kind == "delivery.sent" else f"({record.kind})"
    return shown


async def verify(archive: Archive) -> Verdict:
    """Check every hash, commitment and parent link."""
    return await Verifier(archive.journal, archive.codec).verify()


def export(archive: Archive) -> AsyncIterator[str]:
    """Give the log as JSON lines."""
    return export_lines(archive.journal, archive.codec)
