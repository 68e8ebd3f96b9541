"""Time zones by their names in the tz database, and the hours at which a person may be spoken to unasked."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

COMMON = (
    *("America/Los_Angeles", "America/Chicago", "America/New_York", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Africa/Johannesburg", "Asia/Dubai"),
    *("Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney"),
)
"""The zones that are offered on buttons, from west to east."""

_LONGEST = 64
_MORNING, _EVENING, _NIGHT, _DAY = 9, 20, 21, 24
_HOUR = 3600 * 1_000_000
_QUARTER = _HOUR // 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1024)
def zone_called(name: str) -> tzinfo:
    """Give a zone by its name; UTC for one that this machine's database does not know."""
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return UTC


def understood(text: str) -> str:
    """Give the name of the zone that somebody typed, `europe/berlin` or `berlin`; empty when there is none."""
    typed = "_".join(text.split())
    if not typed or len(typed) > _LONGEST:
        return ""
    offered = {name.partition("/")[2].casefold(): name for name in COMMON}
    spellings = (typed, typed.title(), typed.upper(), offered.get(typed.casefold(), ""))
    return next((name for name in spellings if _is_known(name)), "")


def _is_known(name: str) -> bool:
    return name == "UTC" or ("/" in name and zone_called(name) is not UTC)


def polite_before(wanted: int, latest: int, zone: str) -> int:
    """Find the polite moment nearest to the one wanted; microseconds since 1970.

    At night it is the next morning at nine, if that is not after `latest`, else the evening before at eight.
    """
    night = _night(zone, wanted // _QUARTER)
    if night is None:
        return wanted
    evening, morning = night
    return morning if morning <= latest else evening


@lru_cache(maxsize=65_536)  # asked at every turn, alike for all in a zone
def _night(zone: str, quarter: int) -> tuple[int, int] | None:
    """Tell when the night began and when it ends in which a quarter of an hour since 1970 lies; None by day.

    No clock of this century differs from UTC by a part of a quarter.
    """
    day, hour = divmod(_local_hour(quarter * _QUARTER, zone), _DAY)
    if _MORNING <= hour < _EVENING:
        return None
    return _moment(day - (hour < _MORNING), _EVENING, zone), _moment(day + (hour >= _EVENING), _MORNING, zone)


def is_polite(at: int, zone: str) -> bool:
    """Whether a person may be spoken to at this moment: what was due at eight may come up to an hour late."""
    return _MORNING <= _local_hour(at, zone) % _DAY < _NIGHT


def _local_hour(at: int, zone: str) -> int:
    """Count the hours of the clocks in a zone since 1970."""
    return (at + _ahead(zone, at // _QUARTER)) // _HOUR


def _moment(day: int, hour: int, zone: str) -> int:
    """Find when the clocks in a zone show this hour of a day since 1970."""
    shown = (day * _DAY + hour) * _HOUR
    guess = shown - _ahead(zone, shown // _QUARTER)
    return shown - _ahead(zone, guess // _QUARTER)


def _ahead(zone: str, quarter: int) -> int:
    """Tell how far a zone's clocks are ahead of UTC, in microseconds, in a quarter of an hour since 1970."""
    ahead = (_EPOCH + timedelta(minutes=15 * quarter)).astimezone(zone_called(zone)).utcoffset()
    return (ahead or timedelta(0)) // timedelta(microseconds=1)
