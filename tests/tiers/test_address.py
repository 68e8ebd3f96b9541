import pytest

from holdfast.domain.errors import SettingsError
from holdfast.infrastructure.tiers.address import read_address

SECRET = "npg_s3cret%21"
NEON = f"postgresql://bot:{SECRET}@ep-cool-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require"
NEON_POOLED = NEON.replace("ep-cool-1", "ep-cool-1-pooler")
SUPABASE = f"postgresql://postgres.ref:{SECRET}@aws-0-eu-central-1.pooler.supabase.com:6543/postgres?pgbouncer=true"
RAILWAY = f"postgresql://postgres:{SECRET}@monorail.proxy.rlwy.net:43210/railway"
PATRONI = f"postgres://bot:{SECRET}@a:5432,b:5433/bot?target_session_attrs=read-write"


@pytest.mark.parametrize(
    ("dsn", "kept"),
    [
        (NEON, NEON.replace("&channel_binding=require", "")),
        (SUPABASE, SUPABASE.replace("?pgbouncer=true", "")),
        (RAILWAY, RAILWAY),
        (PATRONI, PATRONI),
        (f"  {RAILWAY}?connect_timeout=3&application_name=x\n", RAILWAY),
    ],
)
def test_a_providers_address_is_made_fit_for_the_driver(dsn: str, kept: str) -> None:
    """Words that the driver would take for the server's settings are left out, and its own stay."""
    assert read_address(dsn).dsn == kept


@pytest.mark.parametrize(
    ("dsn", "pooled"),
    [
        (NEON, False),
        (NEON_POOLED, True),
        (SUPABASE, True),
        (SUPABASE.replace(".pooler.", ".direct.").replace("?pgbouncer=true", ""), True),
        (RAILWAY, False),
        (f"{RAILWAY}?pgbouncer=true", True),
        (f"{RAILWAY}?holdfast_pooled=1", True),
        (f"{RAILWAY}?holdfast_pooled=0", False),
        (PATRONI, False),
        (PATRONI.replace("b:5433", "b:6543"), True),
        ("postgresql://bot:pooler@[::1]/bot", False),
    ],
)
def test_a_pooler_is_known_by_its_signs(dsn: str, *, pooled: bool) -> None:
    """A port, a host's name or a word tell that a transaction pooler stands before the server."""
    assert read_address(dsn).pooled is pooled


@pytest.mark.parametrize("dsn", [NEON, NEON_POOLED, SUPABASE, RAILWAY, PATRONI])
def test_what_is_shown_names_no_person_and_no_password(dsn: str) -> None:
    """A message may name hosts and database, and nothing that opens them."""
    shown = read_address(dsn).shown

    assert not any(word in shown for word in (SECRET, "bot:", "postgres:", "postgres.ref"))
    assert shown.partition("/")[0] in dsn


@pytest.mark.parametrize("dsn", ["", "sqlite:///journal.db", f"mysql://bot:{SECRET}@host/db", "host=localhost"])
def test_anything_else_is_no_address(dsn: str) -> None:
    """What is no PostgreSQL address is a wrong setting, and the message does not repeat it."""
    with pytest.raises(SettingsError, match="must begin with postgresql://") as refused:
        read_address(dsn)

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("password", ["SEC/RET", "SEC?RET", "12/SECRET", "/SECRET", "SEC[RET", "SEC#RET", "a@SEC/RET"])
def test_an_address_that_cannot_be_told_apart_is_refused_unseen(password: str) -> None:
    """A password with a bare slash or question mark is named with what to write, and nothing of it is shown."""
    with pytest.raises(SettingsError, match=r"neon.*%2F") as refused:
        read_address(f"postgresql://u:{password}@host/db", "neon")

    assert "SEC" not in str(refused.value)
    assert "RET" not in str(refused.value)
