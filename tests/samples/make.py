"""Makes the stored samples: one event of each kind in the version that is written today.

Run it when a kind is added or gets a new version: `python -m tests.samples.make`. A sample, once stored, is
never written again: it stands for all the events of its kind and version that are out there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from holdfast.domain.event import Draft, Facts, Said, Words
from holdfast.domain.ids import ConversationId, EventId, OriginId, as_text
from holdfast.domain.inbound import Inbound
from holdfast.domain.kinds import Kind
from holdfast.domain.ports import Delivery, Head
from holdfast.domain.screen import Button, Screen
from holdfast.infrastructure.log.codec import Codec
from holdfast.infrastructure.log.envelope import Record
from holdfast.infrastructure.log.keys import Keyring
from holdfast.infrastructure.log.mint import Mint, MintedEvent
from tests.conformance.clocks import NOON, Dice, StandingClock
from tests.conformance.scribe import BOT, thread

FOLDER = Path(__file__).parent
KEY = bytes(range(32))
"""The master key of the encrypted samples."""

CONVERSATION = ConversationId(b"a conversation..")
OTHER = as_text(b"one set aside...")
SAID = Said(
    type="text",
    user_id=7,
    chat_id=7,
    update_id=812,
    message_id=34,
    date=1_800_000_000,
    text="Prëss 4 <b>\t\u2028 😀 \ud800",
    name="Ada",
    username="ada",
    language="de",
)
TAP = Said(
    type="tap", user_id=7, chat_id=7, update_id=812, message_id=33, text="YSBjb252ZXJzYXRpb24uLg:s1", callback_id="99"
)
PHOTO = Said(
    type="photo",
    user_id=7,
    chat_id=7,
    update_id=812,
    message_id=34,
    date=1_800_000_000,
    text="the nameplate",
    file_id="AgAD",
    file_unique_id="AQAD",
    file_size=120_000,
    mime="image/jpeg",
    media_group="123",
    name="Ada",
    language="de",
)
STICKER = Said(type="other", user_id=7, chat_id=7, update_id=812, message_id=34, content="sticker", date=1_800_000_000)
FACTS = Facts(flow="add_machine", flow_version=1, step="location", next_step="notes", cause="text", language="de")
SOURCE = f"tg:{BOT}:811:7:33"

SAMPLES: dict[Kind, tuple[Facts, Words]] = {
    Kind.STARTED: (
        Facts(
            flow="edit_machine",
            flow_version=1,
            next_step="location",
            cause="button",
            language="de",
            parked=(OTHER,),
            subject=as_text(CONVERSATION),
            continues=OTHER,
        ),
        Words(said=TAP, prefill={"nickname": "Prëss 4", "location": "Hall 2"}),
    ),
    Kind.ANSWERED: (replace(FACTS, field="location"), Words(said=SAID, value="Prëss 4 <b> 😀 \ufffd")),
    Kind.SKIPPED: (replace(FACTS, field="location", cause="button"), Words(said=TAP)),
    Kind.REJECTED: (
        replace(FACTS, next_step="location", rule="string_too_long"),
        Words(said=SAID, complaint="That is too long: at most 200 characters, please."),
    ),
    Kind.CORRECTED: (
        replace(FACTS, field="nickname", replaces=SOURCE),
        Words(said=SAID, value="Prëss 5"),
    ),
    Kind.BACK: (replace(FACTS, next_step="nickname", reopens="nickname"), Words(said=TAP)),
    Kind.PHOTO_ADDED: (replace(FACTS, field="photo", cause="photo"), Words(said=PHOTO, value="AgAD")),
    Kind.PHOTO_STORED: (Facts(subject=OTHER), Words(value="00" * 32)),
    Kind.NAMEPLATE_READ: (
        Facts(flow="add_machine", flow_version=1, cause="reader"),
        Words(prefill={"manufacturer": "ACME", "serial_number": None}),
    ),
    Kind.RESUMED: (
        Facts(
            flow="add_machine",
            flow_version=1,
            step="notes",
            next_step="notes",
            cause="command",
            language="de",
            parked=(OTHER,),
        ),
        Words(said=SAID),
    ),
    Kind.CONFIRMED: (
        replace(FACTS, step="confirm", next_step="", resumes=OTHER),
        Words(said=TAP, value="Prëss 4"),
    ),
    Kind.CANCELLED: (replace(FACTS, next_step=""), Words(said=SAID)),
    Kind.EXPIRED: (
        Facts(flow="add_machine", flow_version=1, step="notes", cause="timer", basis=(SOURCE, f"tg:{BOT}:810:7:32")),
        Words(),
    ),
    Kind.REMINDED: (Facts(flow="add_machine", flow_version=1, step="notes", next_step="notes", cause="timer"), Words()),
    Kind.REPEATED: (
        Facts(flow="add_machine", flow_version=1, step="notes", next_step="notes", cause="outage"),
        Words(),
    ),
    Kind.NOTED: (
        Facts(rule="history", subject=as_text(CONVERSATION), cause="button", language="de"),
        Words(said=TAP, lines=("1800000000000000 add_machine completed",)),
    ),
    Kind.MERGED: (Facts(flow="add_machine", flow_version=1, step="notes", next_step="notes", cause="fork"), Words()),
    Kind.UNEXPECTED: (
        replace(FACTS, next_step="location", rule="unsupported", cause="other"),
        Words(said=STICKER),
    ),
    Kind.MISSING: (Facts(cause="gap"), Words()),
    Kind.FORGOTTEN: (Facts(cause="command", language="de"), Words(said=SAID)),
    Kind.RECORDED: (Facts(series="bank_events"), Words()),
}
"""One event of each kind, with the facts and words it has when all that it may carry is there."""

PAYLOADS = {
    "plain": (None, "short"),
    "compressed": (None, "long " * 400),
    "locked": (KEY, "short"),
    "compressed_and_locked": (KEY, "long " * 400),
}
LATER_FACTS = {
    "delayed": replace(FACTS, field="location", delayed=True),
    "away": replace(FACTS, field="location", away=3_600_000_000),
    "since": replace(FACTS, field="location", away=3_600_000_000, since=1_800_000_000_000_000),
    "supersedes": replace(FACTS, supersedes=OTHER),
    "merged": Facts(cause="fork", unfiled=("tg:42:811:7:33",), offers=(OTHER,), renamed=(("tg:42:812:7:34", OTHER),)),
}
"""Facts that came when the first samples were stored already, each in a sample of its own."""
LATER_WORDS = {"merged": Words(called=("ACME", "Prëss 4", "Prëss 4 (2)"), lines=("<b>1</b>", "2 &lt; 3", "3"))}
"""The words beside them, where they came with some of their own."""

OUTCOMES = ("sent", "blocked", "failed")


def main(folder: Path = FOLDER) -> None:
    """Write what is not there yet; what is there stays as it is."""
    for name, sample in made():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            text = json.dumps(sample, indent=2, ensure_ascii=True)
            path.write_text(f"{text}\n", encoding="ascii")


def made() -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each sample by its name, as it would be written today."""
    for kind in Kind:
        minted, head = _event(kind, None, *SAMPLES[kind])
        name = f"events/{kind.value}.v{minted.record.kind_version}"
        yield name, {**_sample(minted.record, head.head_hashes), "reads_as": _read(*SAMPLES[kind])}
    for name, (key, value) in PAYLOADS.items():
        facts, words = FACTS, Words(said=SAID, value=value)
        minted, head = _event(Kind.ANSWERED, key, facts, words)
        yield f"payloads/{name}", {**_sample(minted.record, head.head_hashes), "reads_as": _read(facts, words)}
    for name, facts in LATER_FACTS.items():
        words = LATER_WORDS.get(name, Words(said=SAID, value="Hall 2"))
        minted, head = _event(Kind.ANSWERED, None, facts, words)
        yield f"facts/{name}", {**_sample(minted.record, head.head_hashes), "reads_as": _read(facts, words)}
    for outcome in OUTCOMES:
        yield f"deliveries/delivery.{outcome}.v1", _delivery(outcome)


def _event(kind: Kind, key: bytes | None, facts: Facts, words: Words) -> tuple[MintedEvent, Head]:
    seed = list(Kind).index(kind)
    parents = (Dice(seed + 1000)(16), Dice(seed + 2000)(16))[: seed % 3]
    head = Head(
        rev=seed,
        version=seed,
        ots=700 + seed,
        head_ids=tuple(map(EventId, parents)),
        head_hashes=tuple(Dice(seed + 3000)(32) for _ in parents),
    )
    outside = kind in {Kind.NOTED, Kind.MISSING, Kind.FORGOTTEN}
    said = words.said or Said(type="timer", user_id=0, chat_id=0)
    inbound = Inbound(
        thread_id=thread(7),
        dedup_key=f"tg:{BOT}:812:7:{said.callback_id or 34}" if words.said else f"{kind.value}:812",
        order=812,
        occurred_at=NOON + seed,
        received_at=NOON + seed + 250_000,
        said=said,
    )
    conversation = None if outside else CONVERSATION
    draft = Draft(kind=kind.value, conversation_id=conversation, facts=facts, words=words)
    return _mint(seed, key).event(inbound, head, draft), head


def _delivery(outcome: str) -> dict[str, Any]:
    answered, _ = _event(Kind.ANSWERED, None, *SAMPLES[Kind.ANSWERED])
    sent = outcome == "sent"
    screens = (
        Screen(text="<b>Prëss 4</b> &lt;", keyboard=((Button("Skip", "x:s1"),),), photo="AgAD"),
        Screen(text="2"),
    )
    delivery = Delivery(
        thread_id=thread(7),
        answers=answered.record.event_id,
        screens=screens,
        message_ids=(35, 36) if sent else (),
        outcome=outcome,
        attempts=3,
        at=NOON + 500_000,
    )
    minted = _mint(100 + OUTCOMES.index(outcome), None).delivery(delivery, answered.record)
    read = {
        "facts": {"outcome": outcome, "attempts": 3, "message_ids": [35, 36] if sent else []},
        "words": {"screens": msgspec.to_builtins(screens)},
    }
    return {**_sample(minted.record, (answered.record.hash,)), "reads_as": read}


def _mint(seed: int, key: bytes | None) -> Mint:
    codec = Codec(Keyring(key, Dice(seed + 4000)))
    return Mint(codec, StandingClock(), Dice(seed + 5000), OriginId(b"the origin here."), seed)


def _sample(record: Record, parent_hashes: tuple[bytes, ...]) -> dict[str, Any]:
    columns = {
        name: {"hex": value.hex()} if isinstance(value, bytes) else value for name, value in record._asdict().items()
    }
    return {"columns": columns, "parent_hashes": [one.hex() for one in parent_hashes]}


def _read(facts: Facts, words: Words) -> dict[str, Any]:
    return {"facts": _whole(facts), "words": _whole(words)}


def _whole(value: Any) -> Any:  # noqa: ANN401 - any field's value
    """Write a Struct with all its fields, also those that have their defaults."""
    if isinstance(value, msgspec.Struct):
        return {name: _whole(field) for name, field in asdict(value).items()}
    return list(value) if isinstance(value, tuple) else value


if __name__ == "__main__":
    main()
