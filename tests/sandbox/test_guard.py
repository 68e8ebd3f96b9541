import httpx
import pytest

from holdfast.sandbox import create_app
from holdfast.sandbox.app import TOKEN


def client(address: str, host: str) -> httpx.AsyncClient:
    """Somebody who comes from an address and asks for a host."""
    transport = httpx.ASGITransport(create_app(), client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost:8081", "[::1]:8081"])
async def test_this_machine_may_use_the_control_api(host: str) -> None:
    """The control API answers to this machine by each of its names."""
    async with client("127.0.0.1", host) as near:
        assert (await near.get("/control/people")).status_code == 200


async def test_other_machines_may_not_use_the_control_api() -> None:
    """The control API is refused to other machines, while the Bot API answers them."""
    async with client("192.0.2.7", "192.0.2.1") as far:
        assert (await far.get("/control/people")).status_code == 403
        assert (await far.get(f"/bot{TOKEN}/getMe")).status_code == 200


async def test_a_foreign_name_for_this_machine_is_refused() -> None:
    """A name that somebody points at the loopback address does not open the control API."""
    async with client("127.0.0.1", "sandbox.example.org") as tricked:
        assert (await tricked.get("/control/people")).status_code == 403


async def test_a_host_that_is_none_is_refused() -> None:
    """A Host header that is no address does not open the control API."""
    async with client("127.0.0.1", "localhost") as tricked:
        assert (await tricked.get("/control/people", headers={"host": "[::1"})).status_code == 403


@pytest.mark.parametrize("path", ["/control/reset", f"/bot{TOKEN}/deleteWebhook"])
@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:8081", 200), ("http://example.org", 403), ("null", 403)]
)
async def test_other_sites_pages_are_refused(path: str, origin: str, status: int) -> None:
    """A page of another site, open in a browser here, can change nothing."""
    async with client("127.0.0.1", "localhost:8081") as browser:
        assert (await browser.post(path, headers={"origin": origin})).status_code == status
