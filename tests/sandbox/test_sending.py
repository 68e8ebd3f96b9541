import pytest

from holdfast.sandbox.client import Control, Person
from holdfast.sandbox.pictures import small
from tests.sandbox.wire import Bot

BUTTONS = {"inline_keyboard": [[{"text": "Skip", "callback_data": "skip"}]]}


async def test_a_text_arrives(ada: Person, bot: Bot) -> None:
    """A person sees what the bot wrote, and the answer is that message."""
    sent = (await bot("sendMessage", chat_id=ada.id, text="hello")).result
    seen = await ada.sees("hello")

    assert sent["message_id"] == seen.message_id
    assert sent["from"]["is_bot"] is True
    assert sent["chat"] == {"id": ada.id, "type": "private", "first_name": "Ada"}


async def test_html_becomes_entities(ada: Person, bot: Bot) -> None:
    """With parse_mode HTML the markup is gone from the text and told in entities."""
    sent = (await bot("sendMessage", chat_id=ada.id, text="<b>Hi</b> &lt;you&gt;", parse_mode="HTML")).result

    assert sent["text"] == "Hi <you>"
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 2}]


async def test_entities_are_taken_as_given(ada: Person, bot: Bot) -> None:
    """Entities can be given in the place of markup."""
    entities = [{"type": "italic", "offset": 3, "length": 5}]
    sent = (await bot("sendMessage", chat_id=ada.id, text="an italic", entities=entities)).result

    assert sent["entities"] == [{"type": "italic", "offset": 3, "length": 5}]


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({"text": ""}, "Bad Request: message text is empty"),
        ({"text": " \n "}, "Bad Request: message text is empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, "Bad Request: message text is empty"),
        ({"text": "x" * 4097}, "Bad Request: message is too long"),
        ({"text": "x", "parse_mode": "Wiki"}, "Bad Request: unsupported parse_mode"),
        (
            {"text": "<b>x", "parse_mode": "HTML"},
            "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        (
            {"text": "x", "entities": [{"type": "bold", "offset": 0, "length": 2}]},
            "Bad Request: entity beyond the end of the text",
        ),
        ({"text": "x", "reply_markup": "{"}, "Bad Request: can't parse reply markup JSON object"),
        (
            {"text": "*x*", "parse_mode": "MarkdownV2"},
            "Bad Request: can't parse entities: the sandbox reads parse_mode HTML only",
        ),
        (
            {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}] * 8] * 13}},
            "Bad Request: reply markup is too long",
        ),
        ({"text": "x", "reply_markup": {"inline_keyboard": "x"}}, "Bad Request: can't parse inline keyboard"),
        ({"text": "x", "chat_id": 1}, "Bad Request: chat not found"),
        ({"text": "x", "chat_id": "@nobody"}, "Bad Request: chat not found"),
        ({"text": "x", "chat_id": ""}, "Bad Request: chat_id is empty"),
        (
            {"text": "x", "reply_parameters": {"message_id": 1}},
            "Bad Request: message to be replied not found",
        ),
    ],
)
async def test_what_telegram_refuses_is_refused(
    ada: Person, bot: Bot, params: dict[str, object], description: str
) -> None:
    """A text that Telegram does not send is refused with its words."""
    status, said = (await bot("sendMessage", **{"chat_id": ada.id, **params})).refusal

    assert status == 400
    assert said.startswith(description)


async def test_a_long_caption_is_refused(ada: Person, bot: Bot) -> None:
    """A caption has at most 1024 characters."""
    where = {"chat_id": str(ada.id), "caption": "x" * 1025}
    answer = await bot.http.post(f"/bot{bot.token}/sendPhoto", data=where, files={"photo": ("x.png", small())})

    assert answer.json()["description"] == "Bad Request: message caption is too long"


async def test_4096_characters_after_parsing_pass(ada: Person, bot: Bot) -> None:
    """The limit of a text counts what is left when the markup is gone."""
    text = "<b>" + "x" * 4096 + "</b>"

    assert (await bot("sendMessage", chat_id=ada.id, text=text, parse_mode="HTML")).status == 200


@pytest.mark.parametrize(("data", "status"), [("x", 200), ("x" * 64, 200), ("", 400), ("x" * 65, 400), ("é" * 33, 400)])
async def test_callback_data_has_1_to_64_bytes(ada: Person, bot: Bot, data: str, status: int) -> None:
    """A button's data is counted in bytes."""
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": data}]]}
    answer = await bot("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard)

    assert answer.status == status
    assert status == 200 or answer.refusal[1] == "Bad Request: BUTTON_DATA_INVALID"


@pytest.mark.parametrize("button", [{"text": "Go"}, {"text": "", "callback_data": "go"}, {"callback_data": "go"}])
async def test_a_button_needs_a_label_and_a_purpose(ada: Person, bot: Bot, button: dict[str, str]) -> None:
    """A button without a text, or that does nothing, is refused."""
    keyboard = {"inline_keyboard": [[button]]}

    assert (await bot("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard)).status == 400


async def test_a_keyboard_arrives(ada: Person, bot: Bot) -> None:
    """Buttons are seen under the message, and are part of the answer."""
    sent = (await bot("sendMessage", chat_id=ada.id, text="x", reply_markup=BUTTONS)).result
    seen = await ada.screen()

    assert sent["reply_markup"] == BUTTONS
    assert seen is not None
    assert seen.reply_markup is not None


async def test_a_reply_keyboard_comes_and_goes(ada: Person, bot: Bot, control: Control) -> None:
    """A keyboard in the phone's place stays until it is removed, and is no part of a message."""
    keyboard = {"keyboard": [[{"text": "Yes"}]]}
    sent = (await bot("sendMessage", chat_id=ada.id, text="x", reply_markup=keyboard)).result
    there = await control.get(f"/chats/{ada.id}", dict[str, object])
    await bot("sendMessage", chat_id=ada.id, text="y", reply_markup={"remove_keyboard": True})
    gone = await control.get(f"/chats/{ada.id}", dict[str, object])

    assert "reply_markup" not in sent
    assert there["reply_keyboard"] == keyboard
    assert gone["reply_keyboard"] is None


async def test_a_reply_names_its_message(ada: Person, bot: Bot) -> None:
    """A reply carries the message it answers."""
    done = await ada.says("a question")
    reply = {"message_id": done.message_ids[0]}
    sent = (await bot("sendMessage", chat_id=ada.id, text="an answer", reply_parameters=reply)).result

    assert sent["reply_to_message"]["text"] == "a question"


async def test_a_reply_to_nothing_can_be_allowed(ada: Person, bot: Bot) -> None:
    """A reply to a message that is gone is sent when the bot says so."""
    reply = {"message_id": 1, "allow_sending_without_reply": True}

    assert (await bot("sendMessage", chat_id=ada.id, text="x", reply_parameters=reply)).status == 200


async def test_a_bot_cannot_write_first(control: Control, bot: Bot) -> None:
    """A person who has never written is unknown to the bot."""
    eve = await control.person("Eve")

    assert (await bot("sendMessage", chat_id=eve.id, text="x")).refusal == (
        400,
        "Bad Request: chat not found",
    )


async def test_a_blocked_bot_is_told_so(ada: Person, bot: Bot) -> None:
    """Writing to a person who has blocked the bot is forbidden until they unblock it."""
    await ada.blocks()
    refused = await bot("sendMessage", chat_id=ada.id, text="x")
    await ada.unblocks()

    assert refused.refusal == (403, "Forbidden: bot was blocked by the user")
    assert (await bot("sendMessage", chat_id=ada.id, text="x")).status == 200


async def test_typing_is_seen(ada: Person, bot: Bot) -> None:
    """A chat action shows until the bot's next message."""
    assert (await bot("sendChatAction", chat_id=ada.id, action="typing")).result is True
    during = await ada.chat()
    await bot("sendMessage", chat_id=ada.id, text="x")

    assert during.typing == "typing"
    assert (await ada.chat()).typing is None


async def test_an_unknown_action_is_refused(ada: Person, bot: Bot) -> None:
    """A chat action is one of Telegram's."""
    assert (await bot("sendChatAction", chat_id=ada.id, action="dancing")).status == 400


async def test_a_link_and_a_command_are_recognised(ada: Person, bot: Bot) -> None:
    """What looks like a command or an address is marked without being asked for."""
    sent = (await bot("sendMessage", chat_id=ada.id, text="see /help or https://example.org/a.")).result

    assert sent["entities"] == [
        {"type": "bot_command", "offset": 4, "length": 5},
        {"type": "url", "offset": 13, "length": 21},
    ]
