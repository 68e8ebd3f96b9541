import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from holdfast.domain.event import Words
from holdfast.infrastructure.log.canonical import canonical
from tests.infrastructure import auditor
from tests.infrastructure.json_values import json_values, words


def as_the_standard_library(value: object) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


@given(json_values)
def test_canonical_json_is_what_the_standard_library_writes(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Any value without floats has the bytes that the definition gives it."""
    assert canonical(value) == as_the_standard_library(value)


@given(words)
def test_a_struct_is_written_like_its_dictionary(words: Words) -> None:
    """What is declared as a Struct has the bytes of the object with its fields, also with lone surrogates in it."""
    assert canonical(words) == as_the_standard_library(msgspec.to_builtins(words))
    assert auditor.canonical(json.loads(canonical(words))) == canonical(words)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [None, True, False]}, rb'{"a":[null,true,false],"b":1}'),
        ('\x00\x1f\x7f\b\t\n\f\r"\\/', b'"\\u0000\\u001f\x7f\\b\\t\\n\\f\\r\\"\\\\/"'),
        ("é\u2028😀", '"é\u2028😀"'.encode()),
        ("a\udc00z", rb'"a\udc00z"'),
        ({"\uffff": 1, "\U00010000": 2, "\ue000": 3}, '{"\ue000":3,"\uffff":1,"\U00010000":2}'.encode()),
        (-(1 << 64), b"-18446744073709551616"),
        ({}, b"{}"),
    ],
)
def test_canonical_json_by_example(value: object, written: bytes) -> None:
    """Keys are sorted by code point, only what JSON must escape is escaped, and nothing is spaced out."""
    assert canonical(value) == written == as_the_standard_library(value)
