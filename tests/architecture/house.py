"""The import table: who may know whom."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """One folder at the root: the rooms and the third-party packages that it may import."""

    ours: frozenset[str] = frozenset()
    third_party: frozenset[str] = frozenset()


def room(*ours: str, third_party: str = "") -> Room:
    """Write a row of the table."""
    return Room(frozenset(ours), frozenset(third_party.split()))


EVERYTHING = ("domain", "projections", "engine", "infrastructure", "bot", "migrations", "sandbox", "holdfast")

HOUSE = {
    "domain": room(third_party="msgspec pydantic"),
    "projections": room("domain", third_party="msgspec pydantic"),
    "engine": room("domain", "projections", third_party="msgspec"),
    "infrastructure": room(
        "domain",
        third_party="aiosqlite asyncpg cryptography eventsourcing msgspec pydantic pydantic_settings",
    ),
    "bot": room("domain", "engine", third_party="msgspec starlette telegram uvicorn"),
    "migrations": room(),
    "sandbox": room(third_party="anyio httpx msgspec python_multipart starlette uvicorn"),
    "cli": room(*EVERYTHING, third_party="msgspec prometheus_client rich typer"),
    "testkit": room(*EVERYTHING, "cli", third_party="msgspec"),
    "holdfast": room("domain", "engine", "cli"),
}
"""The rooms of the product. `holdfast` is the public API; the rest of that folder is links.

Its `asgi` is a whole bot to mount in a server, and only `cli` wires one; `import holdfast` itself stays light.
"""

AROUND = frozenset({"benchmarks", "deploy", "docs", "examples", "tests"})
"""Folders around the product, which may import all of it."""

PURE = frozenset({"domain", "projections"})
"""Rooms of pure functions: time, chance and identity come in as arguments, and nothing is awaited."""

IMPURE_MODULES = frozenset(
    {
        *("asyncio", "concurrent", "multiprocessing", "signal", "subprocess", "threading"),
        *("glob", "io", "os", "pathlib", "shutil", "sqlite3", "tempfile"),
        *("random", "secrets", "time"),
        *("logging", "select", "selectors", "socket", "urllib"),
    }
)

PURE_UUID_NAMES = frozenset({"NAMESPACE_DNS", "NAMESPACE_OID", "NAMESPACE_URL", "UUID", "uuid5"})
"""What may be taken from `uuid`: names computed from other names, not from a clock or from chance."""

KEEPERS = {"sqlite3": frozenset({"infrastructure", "sandbox"})}
"""Modules of the standard library that few may import; the sandbox is a program with a file of its own."""


def import_offence(importer: str, imported: str) -> str | None:
    """Say what is wrong when a room imports a dotted name, or None."""
    top, _, rest = imported.partition(".")
    if top == "holdfast":
        other = rest.partition(".")[0]
        other = other if other in HOUSE else "holdfast"
        if other == importer or other in HOUSE[importer].ours:
            return None
        return f"{importer} may not know {other} ({imported})"
    if top in HOUSE or top in AROUND:
        return f"{imported} is called holdfast.{imported}, or isn't part of the product"
    if top in sys.stdlib_module_names:
        keepers = KEEPERS.get(top, {importer})
        return None if importer in keepers else f"{top} belongs to {', '.join(sorted(keepers))} alone"
    if top in HOUSE[importer].third_party:
        return None
    return f"{importer} may not import the package {top}"
