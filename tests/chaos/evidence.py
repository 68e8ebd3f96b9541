"""What is left after a storm: read from the product's own export and tables, and held against the sandbox's record."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any
from uuid import UUID

from holdfast.sandbox.model import Message
from holdfast.sandbox.record import Input
from holdfast.sandbox.sight import Sight, text_of
from tests.chaos.processes import BOT_ID, Holdfast
from tests.chaos.technicians import Technician, answers

MACHINE = ("nickname", "manufacturer", "model_number", "serial_number", "location", "notes", "photo_file_id")
Line = dict[str, Any]


@dataclass
class Findings:
    """What does not hold, each as a sentence; and what was counted on the way."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    misordered: list[str] = field(default_factory=list)
    machines: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    inputs: int = 0
    copies: int = 0
    replies_twice: int = 0
    replies_shown: int = 0
    confirmed: int = 0
    found: int = 0


def judge_inputs(findings: Findings, inputs: list[Input], taps: dict[int, str], lines: list[Line]) -> None:
    """Each input stands in the log once, as it was said, and behind those that the person sent before it."""
    findings.inputs = len(inputs)
    lines = [line for line in lines if _speaker(line) is not None]
    counting = [line for line in lines if line["duplicate_of"] is None]
    findings.copies = len(lines) - len(counting)
    by_key: defaultdict[str, list[Line]] = defaultdict(list)
    for line in counting:
        by_key[line["dedup_key"]].append(line)
    wanted = {_key(one, taps): one for one in inputs}
    assert len(wanted) == len(inputs), "two inputs have one key"
    for key, one in wanted.items():
        _judge_input(findings, one, by_key.get(key, []))
    findings.strangers += [f"nobody said {key}" for key in by_key.keys() - wanted.keys()]
    for person in {one.person_id for one in inputs}:
        said = [key for key, one in wanted.items() if one.person_id == person and key in by_key]
        kept = list(dict.fromkeys(key for key in _keys_of(counting, person) if key in wanted))
        if said != kept:
            pairs = zip_longest(said, kept)
            findings.misordered += [f"{person}: {one} was sent where {two} stands" for one, two in pairs if one != two]


def _key(one: Input, taps: dict[int, str]) -> str:
    assert one.update_id is not None, f"the bot was never told of {one}"
    which = taps[one.update_id] if one.kind == "tap" else one.message_id
    return f"tg:{BOT_ID}:{one.update_id}:{one.chat_id}:{which}"


def _speaker(line: Line) -> int | None:
    """Name who said what an event is about; nobody, for a fact from outside."""
    said = line["payload"].get("said")
    return said["user_id"] if said else None


def _keys_of(lines: list[Line], person: int) -> list[str]:
    return [line["dedup_key"] for line in lines if _speaker(line) == person]


def _judge_input(findings: Findings, one: Input, found: list[Line]) -> None:
    if not found:
        findings.lost.append(f"{one.person_id}'s {one.kind} {one.text!r} (update {one.update_id})")
    if len(found) > 1:
        findings.doubled.append(f"{one.person_id}'s {one.kind} {one.text!r}: {[line['kind'] for line in found]}")
    for line in found:
        said = line["payload"]["said"]
        if (said.get("text", ""), said["user_id"]) != (one.text or "", one.person_id):
            findings.altered.append(f"{one.person_id} said {one.text!r}, the log has {said}")
        if line["facts"].get("rule") == "failed":
            findings.failures.append(f"deciding {one.text!r} failed")


def judge_machines(findings: Findings, people: list[Technician], bot: Holdfast) -> None:
    """Everything that somebody was told is saved stands in the table as it was answered, and nothing else."""
    rows = bot.read(f"SELECT user_id, {', '.join(MACHINE)} FROM user_machines")  # noqa: S608 - our own names
    told = [
        (one.person.id, *(machine["photo" if name == "photo_file_id" else name] for name in MACHINE))
        for one in people
        for machine in one.diary.saved
    ]
    findings.confirmed, findings.found = len(told), len(set(told) & set(rows))
    findings.machines += [f"confirmed, not in the table: {row}" for row in set(told) - set(rows)]
    findings.machines += [f"in the table, never confirmed: {row}" for row in set(rows) - set(told)]


def judge_places(findings: Findings, people: list[Technician], bot: Holdfast) -> None:
    """Everybody stands at the question where their script ended."""
    rows = dict(bot.read("SELECT user_id, current_step FROM conversation_states"))
    for one in people:
        wanted = one.diary.last.step if one.diary.last else ""
        if rows.get(one.person.id, "") != wanted:
            findings.places.append(f"{one.person.id} should be at {wanted!r}, and is at {rows.get(one.person.id)!r}")


def judge_replies(findings: Findings, person: Technician, sight: Sight, lines: list[Line], bot: Holdfast) -> None:
    """Nobody waits in vain; each input has its reply, in order; one that came twice came twice in a row."""
    name = person.person.id
    findings.replies += [person.diary.stuck] if person.diary.stuck else []
    shown = [message for message in sight.messages if message.from_.is_bot]
    counting = [line for line in lines if line["duplicate_of"] is None and _speaker(line) == name]
    copies = [[line["event_id"], *_copies_of(line, lines)] for line in counting]
    recorded = _recorded(findings, copies, bot)
    if recorded != sorted(recorded):
        findings.replies.append(f"{name}: the replies did not go out in the order of the inputs")
    if missing := set(recorded) - {message.message_id for message in shown}:
        findings.replies.append(f"{name}: delivered, but not in the chat: {missing}")
    findings.replies_shown += len(shown)
    findings.replies_twice += len(shown) - len(set(recorded))
    findings.replies += [f"{name}: {text!r} was shown and is nowhere recorded" for text in _orphans(shown, recorded)]
    last, act = sight.messages[-1], person.diary.last
    if not last.from_.is_bot or (act is not None and not answers(last, act)):
        findings.replies.append(f"{name}: the last message is {text_of(last)!r}, it should answer {act}")
    if recorded and last.message_id != recorded[-1]:
        findings.replies.append(f"{name}: the last message {text_of(last)!r} answers no last input")


_SAVED_HERE = "Saved on this machine, syncing."


def _copies_of(line: Line, lines: list[Line]) -> list[str]:
    """Name the further copies of an input: two tiers may have decided it, each beside a crash."""
    return [other["event_id"] for other in lines if other["duplicate_of"] == line["event_id"]]


def _recorded(findings: Findings, inputs: list[list[str]], bot: Holdfast) -> list[int]:
    """Give the messages that answer these inputs, each with its copies, as the log has them, in the inputs' order."""
    fates: defaultdict[str, list[Line]] = defaultdict(list)
    for answered, facts in bot.read("SELECT answers, facts FROM deliveries ORDER BY pos"):
        fates[str(UUID(bytes=answered))].append(json.loads(facts))
    for copies in inputs:
        outcomes = Counter(fate["outcome"] for event_id in copies for fate in fates[event_id])
        if outcomes.keys() != {"sent"} or outcomes["sent"] > len(copies):
            findings.replies.append(f"event {copies[0]} has these fates: {dict(outcomes)}")
    return [
        number
        for copies in inputs
        for number in sorted(n for event_id in copies for fate in fates[event_id] for n in fate["message_ids"])
    ]


def _said(message: Message) -> str:
    """What a reply says; that it is saved here alone was true when it was sent, and need not be when it is repeated."""
    return text_of(message).removesuffix(_SAVED_HERE).rstrip()


def _orphans(shown: list[Message], recorded: list[int]) -> list[str]:
    """Name messages that no delivery knows and that the next known one does not repeat word for word."""
    known = set(recorded)
    orphans = []
    for place, message in enumerate(shown):
        if message.message_id not in known:
            again = next((one for one in shown[place + 1 :] if one.message_id in known), None)
            if again is None or (_said(again), again.reply_markup) != (_said(message), message.reply_markup):
                orphans.append(text_of(message))
    return orphans
