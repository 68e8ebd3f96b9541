"""Reading JSON into declared shapes, also what a strict reader refuses."""

import json
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
_TOO_DEEP = "nested too deeply"


class Reader(Generic[T]):
    """Reads JSON into one shape. Fast where the text is sound; lone surrogates are read the slow way."""

    def __init__(self, shape: type[T]) -> None:
        """Prepare the fast way in."""
        self._shape = shape
        self._decode = msgspec.json.Decoder(shape).decode

    def read(self, data: bytes | str) -> T:
        """Read one value; ValueError (msgspec's are such) when it is none of this shape."""
        try:
            return self._decode(data)
        except msgspec.ValidationError:
            raise
        except (msgspec.DecodeError, UnicodeError):
            return self._read_slowly(data)
        except RecursionError:
            raise ValueError(_TOO_DEEP) from None

    def _read_slowly(self, data: bytes | str) -> T:
        try:
            return msgspec.convert(json.loads(data), self._shape)
        except RecursionError:
            raise ValueError(_TOO_DEEP) from None
