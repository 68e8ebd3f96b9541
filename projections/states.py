"""`conversation_states`: what is open at this moment, one row per person and flow."""

import json

import msgspec

from holdfast.domain.flow import Flows
from holdfast.domain.ids import as_text
from holdfast.domain.ports import RowChange
from holdfast.domain.state import Conversation, ThreadState
from holdfast.domain.timers import deadline, next_due
from holdfast.domain.wording import shown

TABLE = "conversation_states"
_encode = msgspec.json.Encoder().encode


def changes(flows: Flows, before: ThreadState, after: ThreadState) -> list[RowChange]:
    """Give the rows to write and to take away between two states of one thread.

    A conversation whose flow is not loaded keeps its row as it stands: without the flow its step is not known.
    """
    if before.open is after.open and before.zone == after.zone:
        return []
    gone = [RowChange(TABLE, _key(after, one.flow), None) for one in before.open if after.of_flow(one.flow) is None]
    changed = [one for one in after.open if _differs(before, after, one)]
    return gone + [_row(flows, after, one) for one in changed if flows.has(one.flow, one.flow_version)]


def _differs(before: ThreadState, after: ThreadState, one: Conversation) -> bool:
    """Whether a conversation's row changes: also with what is on top, for only of that a person is reminded."""
    was = before.of_flow(one.flow)
    return was is not one or before.zone != after.zone or (was is before.active) != (one is after.active)


def flows_needed(rows: list[RowChange]) -> list[tuple[str, int]]:
    """Name the flows, in their versions, that the open conversations in the table began with."""
    found = {(row.key[2], json.loads(row.values[1])["flow_version"]) for row in rows if row.values}
    return sorted(found)


def _key(state: ThreadState, flow: str) -> tuple[int, int, str]:
    return state.user_id, state.chat_id, flow


def _row(flows: Flows, state: ThreadState, one: Conversation) -> RowChange:
    flow = flows.get(one.flow, one.flow_version)
    values = (one.current_step(flow), _data(flows, state, one), one.started_at, one.updated_at, deadline(flows, one))
    return RowChange(TABLE, _key(state, one.flow), values)


def _data(flows: Flows, state: ThreadState, one: Conversation) -> str:
    flow = flows.get(one.flow, one.flow_version)
    fields = {
        step.name: None if (value := one.fields[step.name].value) is None else shown(value)
        for step in flow.steps
        if step.name in one.fields
    }
    data = {
        "conversation_id": as_text(one.conversation_id),
        "flow_version": one.flow_version,
        "due_at": next_due(flows, state, one),
        "fields": fields,
    }
    return _encode(data).decode()
