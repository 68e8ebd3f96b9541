import httpx
import pytest

from holdfast.sandbox.client import Person
from tests.sandbox.wire import Answer, Bot


async def test_a_query_a_form_json_and_multipart_say_the_same(ada: Person, bot: Bot) -> None:
    """A method takes its parameters in each of the four ways that Telegram takes them."""
    address = f"/bot{bot.token}/sendMessage"
    params = {"chat_id": str(ada.id), "text": "hello & <you>"}
    answers = [
        await bot.http.get(address, params=params),
        await bot.http.post(address, params=params),
        await bot.http.post(address, data=params),
        await bot.http.post(address, json={**params, "chat_id": ada.id}),
        await bot.http.post(address, data=params, files={"unused": b"x"}),
    ]

    assert [Answer(answer).result["text"] for answer in answers] == ["hello & <you>"] * 5


async def test_keyboards_come_as_text_in_a_form(ada: Person, bot: Bot) -> None:
    """In a form, an object is JSON in a field."""
    keyboard = '{"inline_keyboard":[[{"text":"Go","callback_data":"go"}]]}'
    form = {"chat_id": str(ada.id), "text": "x", "reply_markup": keyboard, "protect_content": "True"}
    sent = Answer(await bot.http.post(f"/bot{bot.token}/sendMessage", data=form)).result

    assert sent["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "go"


async def test_method_names_are_not_case_sensitive(bot: Bot) -> None:
    """A method is found however its name is written."""
    assert (await bot("GETME")).result["id"] == 1000000001


async def test_the_bots_id_is_in_its_token(bot: Bot) -> None:
    """The number before the colon is the bot's id."""
    assert (await bot("getMe")).result == {
        "id": 1000000001,
        "is_bot": True,
        "first_name": "Sandbox bot",
        "username": "sandbox_bot",
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
    }


async def test_another_token_is_unauthorized(bot: Bot) -> None:
    """A token that is not the bot's gets 401, for methods and for files."""
    method = Answer(await bot.http.get("/bot1:wrong/getMe"))
    file = Answer(await bot.http.get("/file/bot1:wrong/photos/x"))

    assert method.body == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert file.status == 401


async def test_an_unknown_method_is_not_found(bot: Bot) -> None:
    """A method that the sandbox does not have gets 404."""
    assert (await bot("sendRocket")).refusal == (404, "Not Found: method not found")


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{", "application/json"), (b"[1]", "application/json"), (b"x", "multipart/form-data; boundary=y")],
)
async def test_a_broken_body_is_refused(bot: Bot, content: bytes, kind: str) -> None:
    """A body that is not what it says it is gets 400."""
    answer = await bot.http.post(f"/bot{bot.token}/getMe", content=content, headers={"content-type": kind})

    assert answer.status_code == 400


async def test_a_body_beyond_50_megabytes_is_refused(bot: Bot) -> None:
    """Too large a body gets 413 before it is read."""
    answer = await bot.http.post(f"/bot{bot.token}/getMe", content=bytes(50 * 1024 * 1024 + 1))

    assert answer.json()["error_code"] == 413


async def test_commands_are_kept_by_scope(bot: Bot) -> None:
    """The menu of one scope is not that of another, and can be deleted."""
    help_ = [{"command": "help", "description": "What I can do"}]
    await bot("setMyCommands", commands=[{"command": "/help", "description": "What I can do"}])

    assert (await bot("getMyCommands")).result == help_
    assert (await bot("getMyCommands", scope={"type": "all_group_chats"})).result == []
    await bot("deleteMyCommands")
    assert (await bot("getMyCommands")).result == []


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ({"command": "Help", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "", "description": "x"}, "BOT_COMMAND_INVALID"),
        ({"command": "help", "description": ""}, "BOT_COMMAND_DESCRIPTION_INVALID"),
        ({"command": "help", "description": "x" * 257}, "BOT_COMMAND_DESCRIPTION_INVALID"),
    ],
)
async def test_a_bad_command_is_refused(bot: Bot, command: dict[str, str], why: str) -> None:
    """A command is lower case and short, and described."""
    assert (await bot("setMyCommands", commands=[command])).refusal == (400, f"Bad Request: {why}")


async def test_a_chat_can_be_looked_up(ada: Person, bot: Bot) -> None:
    """GetChat tells who somebody is."""
    assert (await bot("getChat", chat_id=ada.id)).result["first_name"] == "Ada"
    assert (await bot("getChat", chat_id=1)).refusal == (400, "Bad Request: chat not found")


async def test_a_body_without_a_length_is_cut_off_too(bot: Bot) -> None:
    """A body that does not say how long it is gets 413 once it is too long."""

    async def endless() -> object:
        for _ in range(51):
            yield bytes(1024 * 1024)

    answer: httpx.Response = await bot.http.post(f"/bot{bot.token}/getMe", content=endless())  # type: ignore[arg-type]

    assert answer.status_code == 413
