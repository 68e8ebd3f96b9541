"""The parameters of a call, read as Telegram reads them: everything may come as text."""

from typing import Any, TypeVar

import msgspec

from holdfast.sandbox.errors import BadRequest

T = TypeVar("T")
TRUE = frozenset({"true", "1", "yes", "y", "on"})


class Upload(msgspec.Struct, frozen=True):
    """A file in the body of a call."""

    name: str
    mime_type: str
    data: bytes


class Params:
    """Values and files of one call."""

    def __init__(self, values: dict[str, Any], files: dict[str, Upload] | None = None) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}
        self.files = files or {}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in TRUE

    def number(self, name: str, default: int = 0) -> int:
        try:
            return int(self.text(name, str(default)) or default)
        except ValueError:
            return default

    def json(self, name: str, type_: type[T]) -> T | None:
        """A value that is JSON, alone or as text; None when it is not there."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, str):
                return msgspec.json.decode(value, type=type_, strict=False)
            return msgspec.convert(value, type_, strict=False)
        except msgspec.MsgspecError as error:
            what = name.replace("_", " ")
            raise BadRequest(f"can't parse {what} JSON object: {error}") from error

    def chat_id(self) -> int:
        value = self.text("chat_id").strip()
        if not value:
            raise BadRequest("chat_id is empty")
        try:
            return int(value)
        except ValueError:
            raise BadRequest("chat not found") from None

    def as_logged(self) -> dict[str, Any]:
        """The values, with a note in the place of each file."""
        files = {name: {"name": file.name, "size": len(file.data)} for name, file in self.files.items()}
        return {**self.values, **files}
