"""Pictures: reading how large one is, and making a small one."""

import struct
import zlib

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
FORMATS = {PNG: "png", JPEG: "jpg", b"GIF8": "gif"}
MIME_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
SMALL = 48
# JPEG segments that carry the size: start of frame, without the tables between them.
MARKER = 0xFF
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def kind(data: bytes) -> str | None:
    """png, jpg, gif or webp, by the first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((name for start, name in FORMATS.items() if data.startswith(start)), None)


def suffix(data: bytes) -> str:
    """The ending of a file with these contents, when they are a picture."""
    name = kind(data)
    return f".{name}" if name else ""


def mime_type(data: bytes) -> str:
    """The media type of these contents."""
    return MIME_TYPES.get(kind(data) or "", "application/octet-stream")


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a picture, None for anything else."""
    readers = {"png": _png_size, "jpg": _jpeg_size, "gif": _gif_size, "webp": _webp_size}
    reader = readers.get(kind(data) or "")
    try:
        return reader(data) if reader else None
    except (struct.error, IndexError):
        return None


def small(seed: int = 0) -> bytes:
    """A small PNG in a colour of its own for each seed: for tests and load."""
    colour = bytes((seed * 97 % 200 + 30, seed * 57 % 200 + 30, seed * 23 % 200 + 30))
    row = b"\0" + colour * SMALL
    header = struct.pack(">IIBBBBB", SMALL, SMALL, 8, 2, 0, 0, 0)
    # The seed goes in as text, so that two seeds never give the same bytes.
    chunks = (
        (b"IHDR", header),
        (b"tEXt", b"seed\0%d" % seed),
        (b"IDAT", zlib.compress(row * SMALL)),
        (b"IEND", b""),
    )
    return PNG + b"".join(_chunk(name, body) for name, body in chunks)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _gif_size(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while data[at] == MARKER:
        marker = data[at + 1]
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        # Fill bytes and markers without a length stand alone.
        at += 1 if marker == MARKER else 2 + struct.unpack_from(">H", data, at + 2)[0]
    return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    form = data[12:16]
    if form == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if form == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
