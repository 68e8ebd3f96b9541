r"""Canonical JSON: one value, one sequence of bytes, the same that the standard library writes.

It is `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`, encoded as UTF-8, in which
only a lone surrogate stands as its \udXXX escape (error handler "backslashreplace"). There are no floats in it.
"""

import json
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value, or a Struct of them
    """Write a value as canonical JSON."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "backslashreplace")
