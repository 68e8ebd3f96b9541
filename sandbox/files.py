"""Photos and documents that were sent, in either direction."""

import secrets

import msgspec

from holdfast.sandbox import pictures
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.errors import BadRequest, NotFound
from holdfast.sandbox.model import Document, PhotoSize
from holdfast.sandbox.state import State

DOWNLOAD_LIMIT = 20 * 1024 * 1024
PATH_LIFETIME = 3600.0
PREFIX = "AgAC"
FILE_ID_REST = 12
KEPT_BYTES = 256 * 1024 * 1024
# The longer side of the smaller copies that Telegram makes of a photo.
THUMBNAILS = (90, 320)


class StoredFile(msgspec.Struct, frozen=True):
    """A file with its contents. The sizes of a photo share them: nothing is scaled here."""

    unique_id: str
    name: str
    mime_type: str
    path: str
    data: bytes


class Files:
    """Files by their file_id; the oldest go when all together pass 256 MB."""

    def __init__(self, clock: Clock, state: State) -> None:
        self._clock = clock
        self._state = state
        self._stored: dict[str, StoredFile] = {}
        self._valid_until: dict[str, float] = {}
        self._by_path: dict[str, str] = {}
        self._bytes = 0
        for _, file in state.all("files", StoredFile):
            self._remember(file)

    def photo(self, data: bytes, name: str = "photo.png") -> tuple[PhotoSize, ...]:
        """Store a picture; its sizes, smallest first."""
        width, height = pictures.size(data) or (0, 0)
        if not width or not height:
            raise BadRequest("IMAGE_PROCESS_FAILED")
        stored = self._store(data, name, "photos")
        sides = [side for side in THUMBNAILS if side < max(width, height)]
        scales = [side / max(width, height) for side in sides]
        sizes = [(max(1, round(width * scale)), max(1, round(height * scale))) for scale in scales]
        return tuple(self._photo_size(stored, *size) for size in [*sizes, (width, height)])

    def document(self, data: bytes, name: str, mime_type: str) -> Document:
        """Store a file that is sent as a file."""
        stored = self._store(data, name, "documents", mime_type)
        return Document(
            file_id=_new_id(stored),
            file_unique_id=stored.unique_id,
            file_name=name,
            mime_type=mime_type,
            file_size=len(data),
        )

    def find(self, file_id: str) -> StoredFile:
        """The file that an id stands for."""
        stored = self._stored.get(file_id[len(PREFIX) : -FILE_ID_REST])
        if stored is None:
            raise BadRequest("wrong file_id or the file is temporarily unavailable")
        return stored

    def link(self, file_id: str) -> StoredFile:
        """Make a file's path valid for another hour."""
        stored = self.find(file_id)
        if len(stored.data) > DOWNLOAD_LIMIT:
            raise BadRequest("file is too big")
        self._valid_until[stored.path] = self._clock.now() + PATH_LIFETIME
        return stored

    def at(self, path: str) -> StoredFile:
        """The file at a path that is still valid."""
        if self._valid_until.get(path, 0.0) <= self._clock.now() or path not in self._by_path:
            raise NotFound
        return self._stored[self._by_path[path]]

    def clear(self) -> None:
        """Forget all files."""
        for unique_id in list(self._stored):
            self._forget(unique_id)

    def _store(self, data: bytes, name: str, folder: str, mime_type: str | None = None) -> StoredFile:
        suffix = pictures.suffix(data) or _suffix_of(name)
        unique_id = "AQ" + secrets.token_urlsafe(9)
        path = f"{folder}/file_{unique_id}{suffix}"
        stored = StoredFile(unique_id, name, mime_type or pictures.mime_type(data), path, data)
        self._remember(stored)
        self._state.put("files", unique_id, stored)
        return stored

    def _remember(self, file: StoredFile) -> None:
        self._stored[file.unique_id] = file
        self._by_path[file.path] = file.unique_id
        self._bytes += len(file.data)
        while self._bytes > KEPT_BYTES:
            self._forget(next(iter(self._stored)))

    def _forget(self, unique_id: str) -> None:
        file = self._stored.pop(unique_id)
        self._bytes -= len(file.data)
        self._by_path.pop(file.path)
        self._valid_until.pop(file.path, None)
        self._state.drop("files", unique_id)

    def _photo_size(self, stored: StoredFile, width: int, height: int) -> PhotoSize:
        return PhotoSize(
            file_id=_new_id(stored),
            file_unique_id=stored.unique_id,
            width=width,
            height=height,
            file_size=len(stored.data),
        )


def _new_id(stored: StoredFile) -> str:
    """Another id for a file: it holds the file's own, so that there is nothing to look up."""
    return f"{PREFIX}{stored.unique_id}{secrets.token_hex(FILE_ID_REST // 2)}"


def _suffix_of(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:] if dot > 0 and name[dot + 1 :].isalnum() else ""
