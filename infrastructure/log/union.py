"""A thread folded anew from all that is known of it: what a journal holds and what a tier knows besides."""

from collections.abc import Callable, Sequence

from holdfast.domain.debts import owing
from holdfast.domain.event import Event
from holdfast.domain.evolve import fold
from holdfast.domain.fork import is_untold
from holdfast.domain.ids import ConversationId, EventId, ThreadId
from holdfast.domain.kinds import ENDINGS
from holdfast.domain.order import counted
from holdfast.domain.ports import Head, RowChange
from holdfast.domain.state import ThreadState
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record, split_ids
from holdfast.infrastructure.log.stores import UnionWrite, owner_of

Rows = Callable[[Sequence[Event]], Sequence[RowChange]]
"""The rows that the events of a whole thread amount to."""


class Refolding:
    """Folds whole threads, for the rare times when a thread does not simply go on."""

    def __init__(self, codec: Codec, rows: Rows) -> None:
        """Read events with this codec; `rows` are the projections' fold."""
        self._codec = codec
        self._rows = rows

    def union(  # noqa: PLR0913 - all that is known of a thread
        self,
        thread_id: ThreadId,
        head: Head,
        kept: Sequence[Record],
        *,
        learned: Sequence[Record] = (),
        deliveries: Sequence[Record] = (),
        aborted: Sequence[EventId] = (),
    ) -> UnionWrite:
        """Fold one thread: what stands, with what was learned, without what was taken back."""
        by_id = {one.event_id: one for one in (*kept, *learned)}
        stands = [one for one in by_id.values() if one.event_id not in aborted]
        events = [self._codec.event(one) for one in stands]
        state = fold(events)
        parents = {parent for one in stands for parent in split_ids(one.parents)}
        here = {one.event_id for one in kept}
        return UnionWrite(
            thread_id=thread_id,
            expected=head,
            head=_head_of(head.rev + 1, stands, parents, _last_conversation(state, events)),
            closed=parents <= by_id.keys(),
            untold=is_untold(state),
            learned=[one for one in learned if one.event_id not in here],
            deliveries=deliveries,
            aborted=aborted,
            owing=owing(events),
            user_id=next(filter(None, (owner_of(one.dedup_key) for one in by_id.values())), 0),
            rows=self._rows(events),
        )


def _head_of(rev: int, stands: Sequence[Record], parents: set[EventId], last: ConversationId | None) -> Head:
    ends = sorted(one for one in stands if one.event_id not in parents)
    return Head(
        rev=rev,
        version=max((one.version for one in stands), default=0),
        ots=max((one.ots for one in stands), default=-1),
        head_ids=tuple(one.event_id for one in ends),
        head_hashes=tuple(one.hash for one in ends),
        last_conversation_id=last,
    )


def _last_conversation(state: ThreadState, events: Sequence[Event]) -> ConversationId | None:
    """Name the conversation the next turn needs: the active one, else the one that ended last."""
    active = state.active
    if active:
        return active.conversation_id
    endings = [event.conversation_id for event in counted(events) if event.kind in ENDINGS]
    return endings[-1] if endings else None
