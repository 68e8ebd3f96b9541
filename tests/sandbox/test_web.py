import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast.sandbox import SandboxServer, create_app, pictures
from holdfast.sandbox.client import Control
from holdfast.sandbox.pages import FOLDER
from tests.sandbox import browser
from tests.sandbox.conftest import Door
from tests.sandbox.wire import Bot, until

FILES = sorted(path.name for path in FOLDER.iterdir())
UNSAFE = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|javascript:")
ADDRESS = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w-]+\.[\w.-]+")
GO = {"inline_keyboard": [[{"text": "Skip", "callback_data": "skip"}, {"text": "Back", "callback_data": "back"}]]}
NASTY = "<img src=x onerror=alert(1)> & <b>bold?</b>"


@pytest.mark.parametrize("name", FILES)
async def test_the_pages_files_are_served_with_a_strict_policy(name: str) -> None:
    """Every file of the web chat comes from here, and may load nothing from elsewhere."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app()), base_url="http://localhost") as http:
        answer = await http.get(f"/{name}")

    assert answer.status_code == 200
    assert "default-src 'none'; script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", FILES)
def test_no_file_reads_text_as_markup_or_asks_others(name: str) -> None:
    """No file of the page makes markup or code from text, or names another host."""
    source = (FOLDER / name).read_text()

    assert UNSAFE.findall(source) == []
    assert ADDRESS.findall(source) == []


@dataclass
class Page:
    """The web chat in a browser, and the bot behind it."""

    tab: browser.Tab
    pipe: browser.Pipe
    bot: Bot
    control: Control

    async def open(self, address: str = "/") -> None:
        await self.tab.send("Page.navigate", url=self.bot.url + address)
        await self.tab.becomes("document.querySelector('.welcome, .phone')")

    async def press(self, selector: str) -> None:
        await self.tab.becomes(f"document.querySelector({selector!r})")
        await self.tab.run(f"document.querySelector({selector!r}).click()")

    async def type(self, text: str) -> None:
        """Write into what has the focus, as hands do, and press Enter."""
        await self.tab.send("Input.insertText", text=text)
        for kind in ("keyDown", "keyUp"):
            await self.tab.send(
                "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13
            )

    async def shows(self, text: str) -> None:
        shown = "[...document.querySelectorAll('.words, .toast, .head small')]"
        await self.tab.becomes(f"{shown}.some((one) => one.innerText.includes({text!r}))")

    async def next(self) -> dict[str, Any]:
        """The next update, confirmed."""

        async def look() -> list[dict[str, Any]]:
            updates: list[dict[str, Any]] = (await self.bot("getUpdates", timeout=10, limit=1)).result
            return updates

        [update] = await until(look)
        await self.bot("getUpdates", offset=update["update_id"] + 1)
        return update


@pytest.fixture
async def door(sandbox: SandboxServer) -> Door:
    """A browser needs a real connection."""
    return Door(sandbox.url, sandbox.token)


def need_browser() -> None:
    """Skip where there is no browser, and fail where one has to be."""
    if browser.found() is None:
        if os.environ.get("HOLDFAST_REQUIRE_BROWSER") == "1":
            pytest.fail("HOLDFAST_REQUIRE_BROWSER is set and there is no browser")
        pytest.skip("there is no browser on this machine")


@pytest.fixture
async def page(bot: Bot, control: Control, tmp_path: Path) -> AsyncIterator[Page]:
    need_browser()
    async with browser.tab(tmp_path) as (tab, pipe):
        await tab.size(390, 844)
        yield Page(tab, pipe, bot, control)
        assert pipe.complaints == []


async def test_a_first_visitor_chats_within_two_taps(page: Page) -> None:
    """On an empty sandbox one makes up a person, presses Start, and sees the bot's answer with its formatting."""
    await page.open()
    await page.press(".welcome .button")
    await page.press(".begin")
    start = await page.next()
    await page.bot("sendMessage", chat_id=start["message"]["chat"]["id"], text="<b>Hi</b>, Ada", parse_mode="HTML")
    await page.shows("Hi, Ada")

    assert start["message"]["text"] == "/start"
    assert start["message"]["from"]["first_name"] == "Ada"
    assert await page.tab.run("document.querySelector('.theirs .words b').textContent") == "Hi"
    await page.tab.becomes("document.querySelector('.mine .ticks.taken')")


async def test_what_people_and_bots_write_is_never_markup(page: Page) -> None:
    """Markup in a text, a name, a button or a file name is shown as it was written."""
    eve = await page.control.person(NASTY[:64])
    await eve.starts()
    keyboard = {"inline_keyboard": [[{"text": NASTY, "callback_data": "x"}]]}
    await page.bot("sendMessage", chat_id=eve.id, text=NASTY, reply_markup=keyboard)
    await eve.sends_document(b"x", NASTY)
    await page.open(f"/#{eve.id}")
    await page.shows(NASTY)
    await page.tab.becomes("document.querySelector('.log .key') && document.querySelector('.log .file b')")

    assert await page.tab.run("document.querySelector('.log .key').textContent") == NASTY
    assert await page.tab.run("document.querySelector('.log .file b').textContent") == NASTY
    assert await page.tab.run("document.querySelectorAll('img[src=x], .words b').length") == 0


async def test_a_tapped_button_waits_for_its_answer(page: Page) -> None:
    """A button shows that it waits, and the bot's answer takes that away and appears as a toast."""
    ada = await page.control.person("Ada")
    await ada.starts()
    await page.next()
    await page.bot("sendMessage", chat_id=ada.id, text="What is it?", reply_markup=GO)
    await page.open(f"/#{ada.id}")
    await page.press(".key")
    tap = (await page.next())["callback_query"]
    await page.tab.becomes("document.querySelectorAll('.key.waiting').length === 1")
    await page.bot("answerCallbackQuery", callback_query_id=tap["id"], text="Skipped: What is it?")
    await page.shows("Skipped: What is it?")

    assert tap["data"] == "skip"
    assert await page.tab.run("document.querySelectorAll('.key.waiting').length") == 0


async def test_edits_are_seen_in_both_directions(page: Page) -> None:
    """The bot's edit changes the bubble in place, and a person edits their own message with the arrow key."""
    ada = await page.control.person("Ada")
    await ada.says("tpyo")
    await page.next()
    sent = (await page.bot("sendMessage", chat_id=ada.id, text="before", reply_markup=GO)).result
    await page.open(f"/#{ada.id}")
    await page.shows("before")
    await page.bot("editMessageText", chat_id=ada.id, message_id=sent["message_id"], text="after")
    await page.shows("after")
    await page.tab.run("document.querySelector('textarea').focus()")
    await page.tab.send("Input.dispatchKeyEvent", type="keyDown", key="ArrowUp", code="ArrowUp")
    await page.tab.run("document.querySelector('textarea').select()")
    await page.type("typo")

    assert (await page.next())["edited_message"]["text"] == "typo"
    assert await page.tab.run("document.querySelectorAll('.key').length") == 0


async def test_text_photos_and_commands_are_sent(page: Page, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Enter sends a text, a picked picture is sent with what was written as its caption, and commands are a menu."""
    ada = await page.control.person("Ada")
    await ada.starts()
    await page.next()
    await page.bot("setMyCommands", commands=[{"command": "help", "description": "What I can do"}])
    picture = tmp_path_factory.mktemp("pictures") / "pump.png"
    picture.write_bytes(pictures.small(3))
    await page.open(f"/#{ada.id}")
    await page.tab.run("document.querySelector('textarea').focus()")
    await page.type("hello")
    text = await page.next()
    await page.tab.send("Input.insertText", text="the pump")
    document = await page.tab.send("DOM.getDocument")
    found = await page.tab.send("DOM.querySelector", nodeId=document["root"]["nodeId"], selector="input[capture]")
    await page.tab.send("DOM.setFileInputFiles", files=[str(picture)], nodeId=found["nodeId"])
    photo = await page.next()
    await page.press(".menu")
    await page.press(".sheet .line")
    command = await page.next()

    assert text["message"]["text"] == "hello"
    assert (photo["message"]["caption"], photo["message"]["photo"][-1]["width"]) == ("the pump", 48)
    assert command["message"]["text"] == "/help"
    await page.tab.becomes("document.querySelector('.photo img').naturalWidth === 48")


async def test_typing_and_waiting_are_told(page: Page) -> None:
    """The head of the chat says that the bot is typing, and that messages wait for a bot that is away."""
    ada = await page.control.person("Ada")
    await ada.says("hello")
    await page.next()
    await page.open(f"/#{ada.id}")
    await page.bot("sendChatAction", chat_id=ada.id, action="typing")
    await page.shows("typing")
    await page.bot("sendMessage", chat_id=ada.id, text="hi")
    await ada.says("are you there?")
    await page.tab.run("{ const now = Date.now; Date.now = () => now() + 10_000; }")
    await page.shows("away: 1 message waits")
    await page.next()
    await page.tab.becomes("document.querySelectorAll('.ticks:not(.taken)').length === 0")

    assert await page.tab.run("document.querySelector('.head small').innerText") == "bot"


async def test_several_people_stand_side_by_side(page: Page) -> None:
    """A wide screen shows several chats, each with its own messages, and a narrow one shows one."""
    for name in ("Ada", "Eve"):
        await (await page.control.person(name)).says(f"I am {name}")
    await page.tab.size(1200, 800)
    await page.open()
    await page.tab.becomes("document.querySelectorAll('.phone .mine').length === 2")
    words = "[...document.querySelectorAll('.phone .mine .words')].map((one) => one.innerText)"
    labels = await page.tab.run(words)
    await page.tab.size(390, 844)

    assert labels == ["I am Ada", "I am Eve"]
    assert await page.tab.run("document.documentElement.scrollWidth") == 390


async def test_a_reset_empties_the_page(page: Page) -> None:
    """The reset button asks, forgets everything, and the page begins anew."""
    await (await page.control.person("Ada")).says("hello")
    await page.open("/")
    await page.press("[aria-label=People].round")
    await page.press(".about .button")
    await page.press("dialog .danger")
    await page.tab.becomes("document.querySelector('.welcome')")

    assert await page.control.people() == []


async def test_a_lost_connection_is_told_and_found_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """While the sandbox is away the page says so, and afterwards it shows what happened meanwhile."""
    need_browser()
    state = tmp_path_factory.mktemp("state") / "sandbox.db"
    async with browser.tab(tmp_path) as (tab, _):
        async with SandboxServer(state=state) as first, Control(first.url) as control:
            port = httpx.URL(first.url).port or 0
            await (await control.person("Ada")).says("hello")
            await tab.send("Page.navigate", url=first.url)
            await tab.becomes("document.querySelector('.words')?.innerText === 'hello'")
        await tab.becomes("document.querySelector('.head small').innerText === 'connecting…'")
        async with SandboxServer(port=port, state=state) as second, Control(second.url) as control:
            [ada] = await control.people()
            await ada.says("I was away")
            await tab.becomes("[...document.querySelectorAll('.words')].at(-1).innerText === 'I was away'")
            shown = await tab.run("document.querySelector('.state').innerText")

    assert shown == "Connected"
