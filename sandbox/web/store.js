// What the page knows, and telling those who show it.

import { Stream, get } from "./api.js";

const LAST = 300;

/** One chat as its person sees it; `waiting` tells since when a message is not confirmed by the bot. */
class Chat {
  constructor(id) {
    this.id = id;
    this.messages = new Map();
    this.waiting = new Map();
    this.typing = null;
    this.blocked = false;
    this.keyboard = null;
  }

  /** The last messages, oldest first; older ones are let go. */
  list() {
    const sorted = [...this.messages.values()].sort((one, other) => one.message_id - other.message_id);
    for (const old of sorted.splice(0, sorted.length - LAST)) this.messages.delete(old.message_id);
    return sorted;
  }
}

/** People, chats and the bot's menu. Events: `people`, `online`, `commands`, and `chat` with what changed there. */
export class Store extends EventTarget {
  constructor() {
    super();
    this.people = new Map();
    this.chats = new Map();
    this.commands = [];
    this.bot = { first_name: "Bot", username: "" };
    this.online = false;
    this.stream = new Stream({
      onChange: (kind, body) => this.change(kind, body),
      onState: (online) => this.setOnline(online),
    });
  }

  async start() {
    const version = await this.load();
    this.stream.start(version);
  }

  async load() {
    const status = await get("/status");
    this.bot = status.bot;
    this.token = status.token;
    this.setCommands(status.commands);
    this.people = new Map((await get("/people")).map((person) => [person.id, person]));
    await Promise.all([...this.chats.keys()].map((id) => (this.people.has(id) ? this.open(id) : this.forget(id))));
    this.tell("people");
    return status.version;
  }

  /** Read a chat, or read it anew. */
  async open(id) {
    const chat = this.chats.get(id) ?? new Chat(id);
    const [seen, waiting] = await Promise.all([get(`/chats/${id}?last=${LAST}`), get(`/chats/${id}/waiting`)]);
    chat.messages = new Map(seen.messages.map((message) => [message.message_id, message]));
    chat.waiting = new Map(waiting.map((number) => [number, Date.now()]));
    chat.blocked = seen.blocked;
    chat.keyboard = seen.reply_keyboard;
    this.chats.set(id, chat);
    this.tell("chat", { id, kind: "all" });
    return chat;
  }

  forget(id) {
    this.chats.delete(id);
  }

  change(kind, body) {
    if (kind === "reset" || kind === "resync") return this.load();
    if (kind === "commands") return this.setCommand(body);
    if (kind === "person") {
      this.people.set(body.person.id, body.person);
      return this.tell("people");
    }
    const chat = this.chats.get(body.chat_id);
    if (!chat) return undefined;
    CHANGES[kind]?.(chat, body);
    return this.tell("chat", { id: chat.id, kind, body });
  }

  setOnline(online) {
    if (this.online === online) return;
    this.online = online;
    this.tell("online");
  }

  setCommands(scopes) {
    this.scopes = scopes;
    this.commands = scopes["all_private_chats/"]?.length ? scopes["all_private_chats/"] : (scopes["default/"] ?? []);
    this.tell("commands");
  }

  setCommand({ scope, commands }) {
    this.setCommands({ ...this.scopes, [scope]: commands });
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const CHANGES = {
  message(chat, { message }) {
    chat.messages.set(message.message_id, message);
    if (message.from.is_bot) chat.typing = null;
    else chat.waiting.set(message.message_id, Date.now());
  },
  edited(chat, { message }) {
    chat.messages.set(message.message_id, message);
    if (!message.from.is_bot) chat.waiting.set(message.message_id, Date.now());
  },
  deleted(chat, { message_id }) {
    chat.messages.delete(message_id);
  },
  taken(chat, { message_id }) {
    chat.waiting.delete(message_id);
  },
  typing(chat, { action }) {
    chat.typing = action;
  },
  chat(chat, { blocked }) {
    chat.blocked = blocked;
  },
  reply_keyboard(chat, { keyboard }) {
    chat.keyboard = keyboard;
  },
};
