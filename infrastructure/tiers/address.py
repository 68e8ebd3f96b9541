"""Where a tier is: a DSN as providers hand it out, made fit for the driver."""

import re
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from holdfast.domain.errors import SettingsError

_SCHEMES = ("postgresql://", "postgres://")
_POOLER_PORT = "6543"
_OWN_WORD = "holdfast_pooled"
_KNOWN = frozenset(
    {
        *("host", "port", "dbname", "database", "user", "password", "passfile", "options", "target_session_attrs"),
        *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslnegotiation", "sslcrl", "sslpassword"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version"),
    }
)
"""What the driver knows; it would hand anything else to the server as a setting, and the server would refuse."""


class Address(Struct, frozen=True):
    """Where a tier is. `shown` is hosts and database, fit for a message; `dsn` holds the password.

    `pooled`: a transaction pooler stands before the server, so nothing of a session outlives a transaction.
    """

    dsn: str
    shown: str
    pooled: bool


_ESCAPES = "/ as %2F, ? as %3F, # as %23, [ as %5B"


def read_address(dsn: str, name: str = "") -> Address:
    """Read a DSN `postgresql://user:password@host[:port][,host…]/database?key=value`; SettingsError when it is none.

    A pooler is known by its port 6543, by `pooler` in a host's name, or by `pgbouncer=true` or `holdfast_pooled=1`
    behind the question mark. Words there that are not the driver's (`channel_binding` and the like) are left out.
    """
    text = dsn.strip()
    of = f"the address of the tier {name}" if name else "a tier's address"
    if not text.startswith(_SCHEMES):
        raise SettingsError(f"{of} must begin with postgresql://")
    if set(text.partition("://")[2].rpartition("@")[0]) & set("/?#["):
        # Nothing of it is shown: where the password ends can't be told.
        raise SettingsError(f"{of} has a character in its user or password that stands for something: write {_ESCAPES}")
    base, _, query = text.partition("?")
    words = parse_qsl(query, keep_blank_values=True)
    _, _, hosts = base.partition("://")[2].partition("/")[0].rpartition("@")
    database = base.partition("://")[2].partition("/")[2]
    kept = urlencode([(name, value) for name, value in words if name in _KNOWN])
    return Address(
        dsn=f"{base}?{kept}" if kept else base,
        shown=f"{hosts or 'localhost'}/{database}",
        pooled=_is_pooled(hosts, dict(words)),
    )


def _is_pooled(hosts: str, words: dict[str, str]) -> bool:
    names = [host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "") for host in hosts.split(",")]
    return (
        any("pooler" in name or port == _POOLER_PORT for name, _, port in names)
        or words.get("pgbouncer", "").lower() in {"true", "1"}
        or words.get(_OWN_WORD) == "1"
    )
