"""A data folder that is made once, and copied for every server: to make one takes longer than all the rest.

A copy gets an identity of its own, as if it had been made from nothing.
"""

import secrets
import struct
from pathlib import Path

from tests.servers.errors import GroundFailed
from tests.servers.port import LOOPBACK
from tests.servers.tree import Tree

SUPERUSER = "postgres"
OWNER = "owner"
"""A user, and the user's own database."""

ALWAYS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    # Shared memory lies in the data folder, and goes with it when a server was killed.
    "dynamic_shared_memory_type": "mmap",
}
CASTAGNOLI = 0x82F63B78
IDENTITY = slice(0, 8)
"""Where the file of control keeps it; a checksum of all that stands before stands after the last field."""


def plant(tree: Tree, data: Path, password: str, wal_segment_mib: int) -> None:
    """Make a data folder with the two users; whoever stands above it belongs to the servers' account."""
    secret = data.with_suffix(".password")
    secret.write_text(password)
    secret.chmod(0o644)
    initdb = tree.command(
        "initdb",
        *("-D", data, "-U", SUPERUSER, "--pwfile", secret, "-A", "scram-sha-256"),
        *("-E", "UTF8", "--no-locale", "--no-sync", "--no-instructions", f"--wal-segsize={wal_segment_mib}"),
    )
    tree.run(initdb, data.parent)
    role = f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'\n"
    database = f"CREATE DATABASE {OWNER} OWNER {OWNER}\n"
    tree.run(tree.command("postgres", "--single", "-F", "-D", data, SUPERUSER), data.parent, role + database)


def grow(tree: Tree, seed: Path, data: Path, settings: dict[str, str]) -> None:
    """Copy a seed, give the copy an identity and settings."""
    tree.run(["cp", "-a", str(seed), str(data)], data.parent)
    control = data / "global" / "pg_control"
    control.write_bytes(with_identity(control.read_bytes(), secrets.token_bytes(8)))
    # The log bears the identity too.
    tree.run(tree.command("pg_resetwal", "-D", data), data.parent)
    lines = (f"{name} = '{value}'\n" for name, value in (ALWAYS | settings).items())
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(lines)


def with_identity(control: bytes, identity: bytes) -> bytes:
    """Write another identity into a file of control, and the checksum for it, wherever the version keeps that."""
    checksum = 0xFFFFFFFF
    for place, byte in enumerate(control):
        if place > IDENTITY.stop and struct.unpack_from("=I", control, place)[0] == checksum ^ 0xFFFFFFFF:
            body = identity + control[IDENTITY.stop : place]
            return body + struct.pack("=I", crc32c(body)) + control[place + 4 :]
        checksum = after(checksum, byte)
    raise GroundFailed("there is no checksum in the file of control")


def crc32c(data: bytes) -> int:
    """Compute the checksum that PostgreSQL uses; the standard library has another."""
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = after(checksum, byte)
    return checksum ^ 0xFFFFFFFF


def after(checksum: int, byte: int) -> int:
    """Take one more byte into a checksum that is not finished."""
    checksum ^= byte
    for _ in range(8):
        checksum = checksum >> 1 ^ CASTAGNOLI * (checksum & 1)
    return checksum
