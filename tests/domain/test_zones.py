"""Time zones as people write them, and the hours at which they may be spoken to."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.zones import COMMON, is_polite, polite_before, understood, zone_called

SECOND = 1_000_000
HOUR = 3600 * SECOND
ODD = ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca")


def moment(text: str, zone: str) -> int:
    """Give the moment at which the clocks of a zone show this."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def clock(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / SECOND, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        (" america / new_york", ""),
        ("america/new york", "America/New_York"),
        ("berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("utc", "UTC"),
        ("Nowhere/Else", ""),
        ("../../etc/passwd", ""),
        ("/etc/localtime", ""),
        ("Europe", ""),
        ("Europe/", ""),
        ("\0/\ud800", ""),
        ("x" * 5000, ""),
        ("", ""),
    ],
)
def test_a_zone_is_understood_as_people_write_it(typed: str, meant: str) -> None:
    """Case and blanks do not matter, a well-known city is enough, and what is no zone is none."""
    assert understood(typed) == meant


def test_the_offered_zones_are_known_and_fit_a_button() -> None:
    """Each zone on a button is in the database, and is understood when it comes back."""
    assert [understood(name) for name in COMMON] == list(COMMON)


def test_a_zone_that_this_machine_does_not_know_is_utc() -> None:
    """A name stored by a machine with another database is no error."""
    assert zone_called("Mars/Olympus").utcoffset(None) == zone_called("UTC").utcoffset(datetime.now(tz=ZoneInfo("UTC")))


@pytest.mark.parametrize(
    ("wanted", "latest", "becomes"),
    [
        ("2027-01-15 14:30", "2027-01-15 16:00", "2027-01-15 14:30"),
        ("2027-01-15 09:00", "2027-01-15 11:00", "2027-01-15 09:00"),
        ("2027-01-15 08:59", "2027-01-15 11:00", "2027-01-15 09:00"),
        ("2027-01-15 04:00", "2027-01-15 06:00", "2027-01-14 20:00"),
        ("2027-01-15 20:30", "2027-01-15 22:30", "2027-01-15 20:00"),
        ("2027-01-15 23:59", "2027-01-16 09:00", "2027-01-16 09:00"),
        ("2027-03-28 01:30", "2027-03-28 04:00", "2027-03-27 20:00"),
        ("2027-10-31 08:00", "2027-10-31 10:00", "2027-10-31 09:00"),
    ],
)
def test_what_would_come_at_night_comes_in_the_morning_or_the_evening_before(
    wanted: str, latest: str, becomes: str
) -> None:
    """By day nothing moves; the morning is taken if it is not too late, else the evening; also when clocks change."""
    zone = "Europe/Berlin"

    assert clock(polite_before(moment(wanted, zone), moment(latest, zone), zone), zone) == becomes


@given(st.integers(0, 4_000_000_000), st.integers(0, 36 * 3600), st.sampled_from((*COMMON, *ODD)))
def test_a_polite_moment_is_polite_and_near(wanted: int, more: int, zone: str) -> None:
    """Whatever is wanted, the moment found is one at which people may be spoken to, and less than a day away."""
    at = polite_before(wanted * SECOND, (wanted + more) * SECOND, zone)

    assert is_polite(at, zone)
    assert 9 <= datetime.fromtimestamp(at / SECOND, ZoneInfo(zone)).hour <= 20
    assert abs(at - wanted * SECOND) <= 25 * HOUR
    assert at <= max(wanted, wanted + more) * SECOND


@pytest.mark.parametrize(("shown", "polite"), [("08:59", False), ("09:00", True), ("20:59", True), ("21:00", False)])
def test_a_late_reminder_may_still_come_until_nine_in_the_evening(shown: str, *, polite: bool) -> None:
    """What was due at eight has an hour to go out."""
    assert is_polite(moment(f"2027-01-15 {shown}", "Asia/Tokyo"), "Asia/Tokyo") is polite
