"""What may be wrong with a tier that answers: each check looks at one thing."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from holdfast.cli.findings import Finding
from holdfast.infrastructure.tiers.survey import Survey

OLDEST = 60.0
"""Seconds after which an open transaction is too old."""
SLOWEST = 0.1
"""Seconds a round trip may take without a word about it."""


class Seen(Struct, frozen=True, kw_only=True):
    """A tier that answered, and what is known of it beside: the bot this is, the canary this journal saw last.

    `twin` is the name of an earlier tier that is the very same database, or empty.
    """

    name: str
    survey: Survey
    bot_id: int | None = None
    canary_seen: int | None = None
    twin: str = ""


def checked(seen: Seen) -> list[Finding]:
    """Look at everything."""
    return [found for check in _CHECKS for found in check(seen)]


def unusable(findings: list[Finding]) -> bool:
    """Whether people's turns can't go to a tier of which this was found."""
    return any(one.verdict == "bad" for one in findings)


def migrations(seen: Seen) -> Iterator[Finding]:
    """A tier needs the tables of this very program."""
    missing = seen.survey.missing
    if missing:
        advice = f"run holdfast migrate --tier {seen.name}"
        if not seen.survey.may_migrate:
            advice += " --admin-dsn-env VARIABLE, with an administrator's address in that variable"
        what = f"lacks the migrations {', '.join(missing)}"
        yield Finding(name=seen.name, verdict="bad", what=what, advice=advice)


def writes(seen: Seen) -> Iterator[Finding]:
    """A tier must take writes, and confirm them."""
    if not seen.survey.writable:
        advice = "let its address lead to the primary, or end the server's read-only mode"
        yield Finding(name=seen.name, verdict="bad", what="takes no writes", advice=advice)
    elif seen.survey.unwritten:
        what, _, advice = seen.survey.unwritten.partition("; ")
        yield Finding(name=seen.name, verdict="bad", what=f"did not confirm a write: {what}", advice=advice)


def owner(seen: Seen) -> Iterator[Finding]:
    """One bot, one database."""
    facts = seen.survey.facts
    if facts and None not in (facts.bot_id, seen.bot_id) and facts.bot_id != seen.bot_id:
        what = f"belongs to the bot {facts.bot_id}, this is {seen.bot_id}"
        yield Finding(name=seen.name, verdict="bad", what=what, advice="give this bot a database of its own")


def twin(seen: Seen) -> Iterator[Finding]:
    """Two names for one database are one copy, not two."""
    if seen.twin:
        what = f"is the same database as {seen.twin}: one copy under two names"
        yield Finding(name=seen.name, verdict="bad", what=what, advice="name another database, or leave it out")


def canary(seen: Seen) -> Iterator[Finding]:
    """The canary only ever grows."""
    facts, last = seen.survey.facts, seen.canary_seen
    if facts and last is not None and facts.canary < last:
        what = f"has come back with old data: its canary is {facts.canary}, and was {last}"
        advice = "nothing, while a bot runs: it gives the tier everything anew; find out who restored it"
        yield Finding(name=seen.name, verdict="warn", what=what, advice=advice)


def role(seen: Seen) -> Iterator[Finding]:
    """A bot's role should not be able to change what was written."""
    facts = seen.survey.facts
    if facts and facts.owner:
        what = f"its role {facts.role} could change what was written"
        advice = (
            "name a user in its address who owns nothing, and let "
            f"holdfast migrate --tier {seen.name} --admin-dsn-env VARIABLE make that user"
        )
        yield Finding(name=seen.name, verdict="warn", what=what, advice=advice)


def exposure(seen: Seen) -> Iterator[Finding]:
    """A provider that serves every table to the web must not serve these."""
    if seen.survey.exposed:
        what = f"its tables are open to {seen.survey.exposed}"
        advice = (
            "switch Supabase's Data API off, and run there: REVOKE ALL ON ALL TABLES IN SCHEMA public "
            "FROM anon, authenticated, PUBLIC"
        )
        yield Finding(name=seen.name, verdict="warn", what=what, advice=advice)


def secrecy(seen: Seen) -> Iterator[Finding]:
    """Nobody between here and there should be able to read along."""
    if not seen.survey.encrypted and not _is_near(seen.survey.shown):
        advice = "put ?sslmode=require behind its address, unless the way there is private"
        yield Finding(name=seen.name, verdict="warn", what="the connection is not encrypted", advice=advice)


def _is_near(shown: str) -> bool:
    hosts = shown.rpartition("/")[0].split(",")
    return all(host.startswith(("127.", "localhost", "[::1]", "%2F")) for host in hosts)


def transactions(seen: Seen) -> Iterator[Finding]:
    """A transaction that stays open holds up everything that is read in order."""
    facts = seen.survey.facts
    if facts and facts.xmin_age > OLDEST:
        advice = "end it: pg_stat_activity on that server names it"
        what = f"a transaction has been open for {facts.xmin_age:.0f} seconds"
        yield Finding(name=seen.name, verdict="warn", what=what, advice=advice)


def distance(seen: Seen) -> Iterator[Finding]:
    """Every turn waits for a round trip or two."""
    if seen.survey.round_trip > SLOWEST:
        what = f"is far away: a round trip takes {seen.survey.round_trip * 1000:.0f} ms, and every turn waits for it"
        yield Finding(name=seen.name, verdict="warn", what=what, advice="choose a region near the bot")


_CHECKS: tuple[Callable[[Seen], Iterator[Finding]], ...] = (
    *(migrations, writes, owner, twin, canary),
    *(role, exposure, secrecy, transactions, distance),
)
