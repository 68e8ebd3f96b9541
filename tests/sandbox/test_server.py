import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.sandbox import SandboxServer
from holdfast.sandbox.client import Control
from tests.sandbox.wire import Bot, polls, until


async def test_it_ends_while_a_bot_polls() -> None:
    """Stopping the sandbox ends long polls and streams instead of waiting for them."""
    async with SandboxServer() as server:
        bot = Bot(server.url, server.token)
        control = Control(server.url)
        poll = asyncio.create_task(bot("getUpdates", timeout=50))
        stream = asyncio.create_task(bot.http.get("/control/changes"))
        await until(lambda: polls(control))

    assert (await poll).result == []
    assert (await stream).status_code == 200
    async with control:
        await bot.http.aclose()


async def test_it_ends_while_an_answer_is_held_back() -> None:
    """A slow answer is given at once when the sandbox stops."""
    async with SandboxServer() as server:
        bot = Bot(server.url, server.token)
        control = Control(server.url)
        await control.fault("slow", "getMe", seconds=3600)
        call = asyncio.create_task(bot("getMe"))
        await until(lambda: used_up(control))

    assert (await call).status == 200
    async with control:
        await bot.http.aclose()


async def used_up(control: Control) -> bool:
    return not (await control.get("/status", dict[str, Any]))["faults"]


async def test_a_taken_port_is_an_error() -> None:
    """Two sandboxes cannot listen on one port, and the second says so at once."""
    async with SandboxServer() as first:
        port = httpx.URL(first.url).port
        assert port is not None
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            async with SandboxServer(port=port):
                pass


async def test_it_leaves_signals_alone() -> None:
    """A sandbox inside another program does not take over its signals."""
    before = signal.getsignal(signal.SIGINT)
    async with SandboxServer():
        assert signal.getsignal(signal.SIGINT) is before


async def test_another_token_can_be_chosen() -> None:
    """The bot's id, token and name are what they were asked to be."""
    async with SandboxServer(token="77:mine", name="Holdfast") as server:
        bot = Bot(server.url, "77:mine")
        async with bot.http:
            me = (await bot("getMe")).result

    assert (me["id"], me["first_name"]) == (77, "Holdfast")


async def test_outside_its_block_there_is_no_world() -> None:
    """What is in a sandbox can only be looked at while it runs."""
    with pytest.raises(RuntimeError):
        _ = SandboxServer().world


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_runs_as_a_process_of_its_own(tmp_path: Path, number: signal.Signals) -> None:
    """The command prints where the web chat is, serves it, and ends with a signal without a sound."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "holdfast.sandbox", "--port", "0", "--state", str(tmp_path / "s.db")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    greeting = (await process.stdout.readline()).decode().split()
    async with httpx.AsyncClient(trust_env=False) as http:
        page = await http.get(greeting[-1])
        status = (await http.get(f"{greeting[-1]}control/status")).json()["result"]
    process.send_signal(number)
    _, errors = await process.communicate()

    assert greeting[:2] == ["Web", "chat:"]
    assert "<title>" in page.text
    assert status["limits"] is True
    assert (process.returncode, errors.decode()) == (0, "")


async def test_the_command_names_a_taken_port() -> None:
    """A port that is taken is named, with status 1."""
    async with SandboxServer() as server:
        port = httpx.URL(server.url).port
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "holdfast.sandbox", "--port", str(port)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await process.communicate()

    assert process.returncode == 1
    assert f"cannot start on 127.0.0.1:{port}" in errors.decode()


async def test_a_killed_sandbox_forgets_nothing_it_showed(tmp_path: Path) -> None:
    """After kill -9 all that was answered is in the state file, and no update id is given twice."""
    state = tmp_path / "sandbox.db"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "holdfast.sandbox", "--port", "0", "--state", str(state)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().split()[-1]
    async with Control(url) as control:
        ada = await control.person("Ada")
        done = [await ada.says(f"text {number}") for number in range(20)]
    process.kill()
    await process.communicate()

    async with SandboxServer(state=state) as server, Control(server.url) as control:
        [ada] = await control.people()
        assert [message.text for message in (await ada.chat()).messages] == [f"text {number}" for number in range(20)]
        assert (await ada.says("next")).update_ids == ((done[-1].update_ids[0] or 0) + 1,)
