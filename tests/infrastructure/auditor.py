"""What an auditor runs over an export: the standard library and nothing of ours."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

HASHED = (
    *("event_id", "thread_id", "conversation_id", "kind", "kind_version", "version", "ots", "parents"),
    *("origin", "origin_seq", "dedup_key", "occurred_at", "received_at", "facts", "commitment"),
)
"""What a hash is taken over, beside the sorted hashes of the parents."""


def canonical(value: object) -> bytes:
    """Write a value in the one way that hashes and commitments are taken over."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def commitment_of(line: dict[str, Any]) -> str:
    """Commit to the words of an exported event."""
    return hashlib.sha256(bytes.fromhex(line["salt"]) + canonical(line["payload"])).hexdigest()


def hash_of(line: dict[str, Any], hashes: dict[str, str]) -> str:
    """Hash an exported event; `hashes` are those of the events before it."""
    hashed = {name: line[name] for name in HASHED}
    hashed["parent_hashes"] = sorted(hashes[parent] for parent in line["parents"])
    return hashlib.sha256(canonical(hashed)).hexdigest()


def faults(lines: Iterable[str]) -> list[str]:
    """Name each event of an export that is not what its digests say, and why."""
    hashes: dict[str, str] = {}
    found = []
    for text in lines:
        line = json.loads(text)
        if any(parent not in hashes for parent in line["parents"]):
            found.append(f"{line['event_id']}: a parent is missing")
        elif hash_of(line, hashes) != line["hash"]:
            found.append(f"{line['event_id']}: hash")
        if line["payload"] is not None and commitment_of(line) != line["commitment"]:
            found.append(f"{line['event_id']}: commitment")
        hashes[line["event_id"]] = line["hash"]
    return found
