import json
import os
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from holdfast.domain.errors import BrokenLog, KeyMissing, UnreadableEvent
from holdfast.domain.event import Draft, Facts, Words
from holdfast.domain.ids import EventId, ThreadId
from holdfast.domain.kinds import Kind
from holdfast.infrastructure.log.codec import COMPRESS_FROM, Codec
from holdfast.infrastructure.log.envelope import Record, hash_of
from holdfast.infrastructure.log.keys import KEY_ID_BYTES, Keyring
from tests.conformance.clocks import Dice
from tests.conformance.scribe import EMPTY, Scribe, codec, inbound, noted
from tests.infrastructure.json_values import facts, words

KEY = bytes(range(32))
OTHER_KEY = bytes(reversed(range(32)))
PLAIN, COMPRESSED, LOCKED = 0, 1, 2

keys = st.sampled_from([None, KEY])
long_words = Words(said=inbound(1).said, value="A long note. " * 100)
short_words = Words(said=inbound(1).said, value="Press 4")


def record_of(content: Words, key: bytes | None = None, given_facts: Facts | None = None) -> Record:
    """Mint one event that holds these words."""
    draft = replace(noted(inbound(1)), words=content)
    if given_facts is not None:
        draft = replace(draft, facts=given_facts)
    return Scribe(by=codec(key)).append(inbound(1), draft).record


@given(words, facts, keys)
def test_what_is_sealed_can_be_read(content: Words, clear: Facts, key: bytes | None) -> None:
    """Words and facts come back as they were, plain, compressed or encrypted, and the commitment holds."""
    record = record_of(content, key, clear)

    event = codec(key).event(record)
    opened = codec(key).open(record)

    assert (event.words, event.facts) == (content, clear)
    assert opened is not None
    assert record.commitment == sha256(opened[0] + opened[1]).digest()
    assert len(opened[0]) == 32


@pytest.mark.parametrize(
    ("content", "key", "layers"),
    [
        (short_words, None, PLAIN),
        (long_words, None, COMPRESSED),
        (short_words, KEY, LOCKED),
        (long_words, KEY, COMPRESSED | LOCKED),
    ],
)
def test_the_first_byte_names_the_layers(content: Words, key: bytes | None, layers: int) -> None:
    """Long words are compressed, and with a key all words are encrypted."""
    payload = record_of(content, key).payload

    assert payload is not None
    assert payload[0] == layers
    assert (b"Press 4" in payload) == (layers == PLAIN)
    assert len(payload) < COMPRESS_FROM


def test_words_are_compressed_from_a_kilobyte_on() -> None:
    """One byte less than the limit stays as it is."""
    empty = len(json.dumps({"value": ""}, separators=(",", ":")))
    short, long = (Words(value="x" * (COMPRESS_FROM - empty - less)) for less in (1, 0))

    assert [(record_of(one).payload or b"")[0] for one in (short, long)] == [PLAIN, COMPRESSED]


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_words_stay_shut_without_their_key(key: bytes | None) -> None:
    """Encrypted words ask for the master key that locked them, and no other one opens them."""
    with pytest.raises(KeyMissing):
        codec(key).event(record_of(short_words, KEY))


def test_plain_words_need_no_key() -> None:
    """Words written before there was a key are read with one, too."""
    assert codec(KEY).event(record_of(short_words)).words == short_words


@given(st.sampled_from([short_words, long_words]), st.data())
def test_a_flipped_bit_in_locked_words_is_noticed(content: Words, data: st.DataObject) -> None:
    """Whichever bit behind the first byte is turned: the words are called changed, or their key unknown."""
    record = record_of(content, KEY)
    payload = bytearray(record.payload or b"")
    place = data.draw(st.integers(1, len(payload) - 1))
    payload[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(KeyMissing if place <= KEY_ID_BYTES else BrokenLog):
        codec(KEY).open(record._replace(payload=bytes(payload)))


@given(st.sampled_from([short_words, long_words]), keys, st.data())
def test_damaged_words_are_never_another_error(content: Words, key: bytes | None, data: st.DataObject) -> None:
    """Bytes turned, cut off or emptied read as other words, or are refused by one of our own errors."""
    record = record_of(content, key)
    payload = bytearray(record.payload or b"")
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(payload[: data.draw(st.integers(0, len(payload)))])

    assert_read_or_refused(record._replace(payload=cut), key)


@given(st.binary(max_size=120), keys)
def test_rubbish_for_words_is_never_another_error(payload: bytes, key: bytes | None) -> None:
    """Any bytes at all in the place of a payload are read or refused by one of our own errors."""
    assert_read_or_refused(record_of(short_words)._replace(payload=payload), key)


def assert_read_or_refused(record: Record, key: bytes | None) -> None:
    try:
        event = codec(key).event(record)
    except (BrokenLog, KeyMissing):
        return
    assert isinstance(event.words, Words)


@pytest.mark.parametrize("clear", ["", "{", "[]", '{"flow":1}', '{"flow":"\\', "null"])
def test_facts_that_cannot_be_read_are_a_broken_log(clear: str) -> None:
    """Facts that are no such object are refused by name, and nothing of them is quoted."""
    with pytest.raises(BrokenLog, match=r"^event [0-9a-f]{32} cannot be read$"):
        codec().event(record_of(short_words)._replace(facts=clear))


def test_an_unknown_layer_is_refused() -> None:
    """A payload with a layer that this program has never heard of is not read as words."""
    record = record_of(short_words)

    with pytest.raises(BrokenLog):
        codec().open(record._replace(payload=b"\x04" + (record.payload or b"")[1:]))


def test_locked_words_belong_to_their_event() -> None:
    """A payload that is put under another event, or into another thread, does not open there."""
    record = record_of(short_words, KEY)
    moved = [record._replace(event_id=EventId(bytes(16))), record._replace(thread_id=ThreadId(bytes(16)))]

    for one in moved:
        with pytest.raises(BrokenLog, match="were changed"):
            codec(KEY).open(one)


def test_the_same_words_are_never_locked_to_the_same_bytes() -> None:
    """Each sealing takes a new salt and a new nonce."""
    scribe = Scribe(by=codec(KEY))
    one, two = (scribe.append(inbound(1), noted(inbound(1)), on=EMPTY).record for _ in range(2))

    assert one.payload is not None
    assert two.payload is not None
    assert one.payload[: 1 + KEY_ID_BYTES] == two.payload[: 1 + KEY_ID_BYTES]
    assert one.payload[1 + KEY_ID_BYTES :] != two.payload[1 + KEY_ID_BYTES :]
    assert one.commitment != two.commitment


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16), st.binary(max_size=50))
def test_an_events_key_is_what_hkdf_derives(master: bytes, event_id: bytes, plain: bytes) -> None:
    """The key under which words are locked is HKDF-SHA256 of the master key, the event id being its info."""
    locked = Keyring(master, os.urandom).lock(event_id, b"identity", plain)
    key = HKDF(algorithm=SHA256(), length=32, salt=b"holdfast payload v1", info=event_id).derive(master)
    nonce, cipher = locked[KEY_ID_BYTES : KEY_ID_BYTES + 12], locked[KEY_ID_BYTES + 12 :]

    assert AESGCM(key).decrypt(nonce, cipher, b"identity") == plain
    assert locked[:KEY_ID_BYTES] == sha256(b"holdfast key id" + master).digest()[:KEY_ID_BYTES]


def test_a_keyring_without_a_key_locks_nothing() -> None:
    """Without a master key words are kept plain, and to lock or unlock them is refused."""
    keyring = Keyring(None, Dice())

    assert keyring.locks is False
    with pytest.raises(KeyMissing):
        keyring.lock(bytes(16), b"", b"words")
    with pytest.raises(KeyMissing):
        keyring.unlock(bytes(16), b"", b"words")


def test_erased_words_leave_the_facts() -> None:
    """An event whose payload is gone is read with its facts and without words."""
    event = codec().event(record_of(short_words)._replace(payload=None))

    assert (event.words, event.facts.rule) == (None, "talk")
    assert codec().open(record_of(short_words)._replace(payload=None)) is None


def name_the_rule(facts: dict[str, Any], words: dict[str, Any]) -> None:
    """From version 1 to 2 of a kind that is only told of here."""
    facts["rule"] = facts.pop("why")


def write_in_capitals(facts: dict[str, Any], words: dict[str, Any]) -> None:
    """From version 2 to 3."""
    facts["rule"] = facts["rule"].upper()
    if "value" in words:
        words["value"] = words["value"].upper()


FAKE = {(Kind.NOTED.value, 1): name_the_rule, (Kind.NOTED.value, 2): write_in_capitals}


@pytest.mark.parametrize(
    ("version", "clear", "rule", "value"),
    [
        (1, '{"why":"talk"}', "TALK", "PRESS 4"),
        (2, '{"rule":"talk"}', "TALK", "PRESS 4"),
        (3, '{"rule":"talk"}', "talk", "Press 4"),
    ],
)
def test_old_versions_are_brought_up_step_by_step(version: int, clear: str, rule: str, value: str) -> None:
    """Each step is taken once and in order, beginning at the version that was stored."""
    record = record_of(short_words)._replace(kind_version=version, facts=clear)

    event = Codec(Keyring(None, Dice()), FAKE).event(record)

    assert event.words is not None
    assert (event.facts.rule, event.words.value) == (rule, value)


def test_an_erased_event_is_brought_up_without_words() -> None:
    """The steps of an event whose words are gone leave it without words."""
    record = record_of(short_words)._replace(kind_version=1, facts='{"why":"talk"}', payload=None)

    event = Codec(Keyring(None, Dice()), FAKE).event(record)

    assert (event.facts.rule, event.words) == ("TALK", None)


def test_old_words_with_a_lone_surrogate_are_brought_up() -> None:
    """What only a lenient reader can read is brought up like any other."""
    record = record_of(Words(value="a\udc00"))._replace(kind_version=2, facts='{"rule":"\\ud800"}')

    event = Codec(Keyring(None, Dice()), FAKE).event(record)

    assert event.words is not None
    assert (event.facts.rule, event.words.value) == ("\ud800", "A\udc00")


def test_new_events_are_written_in_the_newest_version() -> None:
    """The upcasters tell which version is written, and a kind without any is in its first."""
    fresh = Codec(Keyring(None, Dice()), FAKE)
    draft = Draft(kind=Kind.CANCELLED, conversation_id=None, facts=Facts(), words=Words())

    assert (fresh.version_of(Kind.NOTED), fresh.version_of(Kind.CANCELLED)) == (3, 1)
    assert Scribe(by=fresh).append(inbound(1)).record.kind_version == 3
    assert Scribe(by=fresh).append(inbound(1), draft).record.kind_version == 1


def test_the_newest_version_is_found_in_any_order() -> None:
    """However the steps are listed, the last of them leads to the version that is written."""
    backwards = dict(reversed(FAKE.items()))

    assert Codec(Keyring(None, Dice()), backwards).version_of(Kind.NOTED) == 3


def test_a_hash_knows_no_order_of_the_parents_hashes() -> None:
    """The hashes of several parents are sorted, so that every worker finds the same hash."""
    record, hashes = record_of(short_words), [bytes(32), b"\xff" * 32]

    assert hash_of(record, hashes) == hash_of(record, hashes[::-1])
    assert hash_of(record, hashes) != hash_of(record, hashes[:1])


def test_a_version_from_the_future_is_unreadable() -> None:
    """An event that a newer program wrote is named, and not guessed at."""
    with pytest.raises(UnreadableEvent, match=r"^thread.noted version 2 is newer than this program$"):
        codec().event(record_of(short_words)._replace(kind_version=2))


def test_facts_of_a_newer_program_are_read_as_far_as_they_are_known() -> None:
    """A fact that was added without a new version is passed over."""
    event = codec().event(record_of(short_words)._replace(facts='{"rule":"talk","mood":"glad"}'))

    assert event.facts == Facts(rule="talk")


@given(st.binary(max_size=200), keys)
def test_a_file_comes_back_as_it_was(content: bytes, key: bytes | None) -> None:
    """A photo's bytes are stored under the words' own lock, and come back whole."""
    stored = codec(key).lock_file(b"t" * 16, b"d" * 32, content)

    assert codec(key).open_file(b"t" * 16, b"d" * 32, stored) == content
    assert key is None or len(content) < 8 or content not in stored
