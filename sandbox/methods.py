"""The methods of the Bot API by name, and those that neither send nor edit."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from holdfast.sandbox import editing, sending
from holdfast.sandbox.errors import BadRequest, Conflict
from holdfast.sandbox.model import Command
from holdfast.sandbox.params import Params
from holdfast.sandbox.webhook import Webhook
from holdfast.sandbox.world import World

Method = Callable[[World, Params], object | Awaitable[object]]

HOOKED = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
MOST_UPDATES = 100
MOST_COMMANDS = 100
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
DESCRIPTION_LIMIT = 256


def get_me(world: World, params: Params) -> dict[str, Any]:
    """The method getMe."""
    del params
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
    }
    return {**msgspec.to_builtins(world.bot), **abilities}


async def get_updates(world: World, params: Params) -> list[dict[str, object]]:
    """The method getUpdates: confirms what is below the offset, then gives or awaits what is left."""
    if world.hook.webhook is not None:
        raise Conflict(HOOKED)
    _allow(world, params)
    world.updates.confirm(params.number("offset"))
    limit = min(max(params.number("limit", MOST_UPDATES), 1), MOST_UPDATES)
    batch = await world.polls.updates(world.updates, limit, max(params.number("timeout"), 0))
    return [update.as_sent() for update in batch]


def set_webhook(world: World, params: Params) -> bool:
    """The method setWebhook."""
    url = params.text("url").strip()
    if not url:
        return delete_webhook(world, params)
    secret = params.text("secret_token")
    if not SECRET.fullmatch(secret):
        raise BadRequest("secret token contains unallowed characters")
    world.polls.end(world.updates, "terminated by setWebhook request")
    world.hook.set(Webhook(url, secret, params.number("max_connections", 40)))
    _allow(world, params)
    if params.flag("drop_pending_updates"):
        world.updates.clear()
    return True


def delete_webhook(world: World, params: Params) -> bool:
    """The method deleteWebhook."""
    world.hook.remove()
    if params.flag("drop_pending_updates"):
        world.updates.clear()
    return True


def get_webhook_info(world: World, params: Params) -> dict[str, Any]:
    """The method getWebhookInfo."""
    del params
    webhook, failure = world.hook.webhook, world.hook.failure
    info: dict[str, Any] = {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates),
    }
    if webhook is not None:
        info |= {"url": webhook.url, "max_connections": webhook.max_connections}
    if failure is not None:
        info |= {"last_error_date": failure.date, "last_error_message": failure.message}
    if world.updates.allowed is not None:
        info["allowed_updates"] = sorted(world.updates.allowed)
    return info


def get_file(world: World, params: Params) -> dict[str, Any]:
    """The method getFile: its path is good for an hour."""
    file_id = params.text("file_id")
    if not file_id:
        raise BadRequest("file_id not specified")
    file = world.files.link(file_id)
    return {
        "file_id": file_id,
        "file_unique_id": file.unique_id,
        "file_size": len(file.data),
        "file_path": file.path,
    }


def get_chat(world: World, params: Params) -> dict[str, Any]:
    """The method getChat."""
    room = world.rooms.find(params.chat_id())
    rest = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": _NO_GIFTS}
    return {**msgspec.to_builtins(room.chat), **rest}


def set_my_commands(world: World, params: Params) -> bool:
    """The method setMyCommands."""
    commands = params.json("commands", tuple[Command, ...]) or ()
    if len(commands) > MOST_COMMANDS:
        raise BadRequest("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        _check_command(command)
    _keep_commands(world, _scope(params), tuple(_without_slash(command) for command in commands))
    return True


def get_my_commands(world: World, params: Params) -> tuple[Command, ...]:
    """The method getMyCommands."""
    return world.commands.get(_scope(params), ())


def delete_my_commands(world: World, params: Params) -> bool:
    """The method deleteMyCommands."""
    _keep_commands(world, _scope(params), ())
    return True


def _allow(world: World, params: Params) -> None:
    """Which updates are wanted from now on; without the parameter it stays as it was."""
    if "allowed_updates" not in params:
        return
    kinds = frozenset(params.json("allowed_updates", list[str]) or ())
    world.updates.allowed = kinds or None
    if kinds:
        world.state.put("allowed", "", kinds)
    else:
        world.state.drop("allowed", "")


def _scope(params: Params) -> str:
    scope = params.json("scope", dict[str, Any]) or {"type": "default"}
    place = ":".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope)
    return f"{place}/{params.text('language_code')}"


def _check_command(command: Command) -> None:
    if not COMMAND.fullmatch(command.command.removeprefix("/")):
        raise BadRequest("BOT_COMMAND_INVALID")
    if not 1 <= len(command.description) <= DESCRIPTION_LIMIT:
        raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")


def _without_slash(command: Command) -> Command:
    return Command(command=command.command.removeprefix("/"), description=command.description)


def _keep_commands(world: World, scope: str, commands: tuple[Command, ...]) -> None:
    world.commands[scope] = commands
    world.state.put("commands", scope, commands)
    world.changes.add("commands", {"scope": scope, "commands": commands})


_NO_GIFTS = dict.fromkeys(
    (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    ),
    False,
)

# Method names are not case-sensitive.
METHODS: Mapping[str, Method] = {
    name.lower(): method
    for name, method in {
        "getMe": get_me,
        "getUpdates": get_updates,
        "setWebhook": set_webhook,
        "deleteWebhook": delete_webhook,
        "getWebhookInfo": get_webhook_info,
        "sendMessage": sending.send_message,
        "sendPhoto": sending.send_photo,
        "sendDocument": sending.send_document,
        "sendMediaGroup": sending.send_media_group,
        "sendChatAction": sending.send_chat_action,
        "editMessageText": editing.edit_text,
        "editMessageCaption": editing.edit_caption,
        "editMessageReplyMarkup": editing.edit_reply_markup,
        "deleteMessage": editing.delete_message,
        "answerCallbackQuery": editing.answer_callback_query,
        "getFile": get_file,
        "getChat": get_chat,
        "setMyCommands": set_my_commands,
        "getMyCommands": get_my_commands,
        "deleteMyCommands": delete_my_commands,
    }.items()
}
