// One person's chat with the bot.

import { act, upload } from "./api.js";
import { bubble } from "./bubble.js";
import { Composer } from "./composer.js";
import { ask, avatar, h, icon } from "./dom.js";

const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const TYPING_SHOWN = 5000;
const TAP_PATIENCE = 30000;
const AWAY_AFTER = 4000;
const TOAST_SHOWN = 3500;
const NEAR = 120;
const MOST_SHOWN = 600;

export class Phone {
  constructor(store, personId, { onClose, onBack }) {
    this.store = store;
    this.personId = personId;
    this.pending = new Map();
    this.subtitle = h("small", { role: "status" });
    this.log = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0",
      onscroll: () => this.scrolled() });
    this.down = h("button", { class: "round down", type: "button", hidden: true, "aria-label": "To the newest message",
      onclick: () => this.toEnd("smooth") }, icon("down"));
    this.toasts = h("div", { class: "toasts", role: "status" });
    this.composer = new Composer(this);
    this.begin = h("button", { class: "begin", type: "button", hidden: true }, "Start");
    this.element = h("section", { class: "phone", "aria-label": `Chat of ${this.name}`,
      ondragover: (event) => event.preventDefault(), ondrop: (event) => this.drop(event) },
      this.head(onClose, onBack), h("div", { class: "screen" }, this.log, this.down, this.toasts), this.begin, this.composer.element);
    this.resized = new ResizeObserver(() => this.grown());
    this.resized.observe(this.log);
    this.clock = setInterval(() => this.showState(), 1000);
    this.showAll();
  }

  get name() {
    return this.store.people.get(this.personId)?.first_name ?? "Somebody";
  }

  get chat() {
    return this.store.chats.get(this.personId);
  }

  head(onClose, onBack) {
    const { bot } = this.store;
    const button = (label, sign, action, extra = "") =>
      h("button", { class: `round ${extra}`, type: "button", "aria-label": label, title: label, onclick: action }, icon(sign));
    this.blocker = button("Block the bot", "block", () => this.toggleBlock());
    return h("header", { class: "head" },
      button("People", "back", onBack, "only-narrow"), avatar(bot.first_name, 0),
      h("div", { class: "title" }, h("h2", {}, bot.first_name), this.subtitle),
      h("span", { class: "as", title: `You write as ${this.name}` }, avatar(this.name, this.personId), this.name.split(" ")[0]),
      this.blocker, button("Close this chat", "close", onClose, "only-wide"));
  }

  close() {
    this.resized.disconnect();
    clearInterval(this.clock);
    clearTimeout(this.typingEnds);
    this.element.remove();
  }

  /* What changed in the chat. */

  changed({ kind, body }) {
    if (kind === "all" || this.units.size > MOST_SHOWN) this.showAll();
    else if (kind === "message" || kind === "edited") this.put(body.message);
    else if (kind === "taken") this.put(this.chat.messages.get(body.message_id));
    else if (kind === "deleted") this.showAll();
    else if (kind === "toast") this.answered(body.toast);
    else if (kind === "typing") this.typing();
    else if (kind === "reply_keyboard") this.composer.setReplyKeyboard(this.chat.keyboard);
    this.showState();
  }

  showAll() {
    this.units = new Map();
    this.log.replaceChildren();
    for (const message of this.chat?.list() ?? []) this.put(message, true);
    this.composer.setCommands(this.store.commands);
    this.composer.setReplyKeyboard(this.chat?.keyboard);
    this.showState();
    this.toEnd();
  }

  /** Show a message at its place, or anew; the pictures of an album share a bubble. */
  put(message, loading = false) {
    if (!message) return;
    const key = message.media_group_id ?? message.message_id;
    const unit = this.units.get(key) ?? { messages: new Map() };
    const stick = loading || this.isAtEnd() || message.from.id === this.personId;
    unit.messages.set(message.message_id, message);
    const element = bubble([...unit.messages.values()], this);
    if (unit.element) unit.element.replaceWith(element);
    else this.append(element, message);
    unit.element = element;
    this.units.set(key, unit);
    for (const [id, tap] of this.pending) if (tap.messageId === message.message_id) this.remark(id, tap, element);
    if (stick && !loading) this.toEnd("smooth");
    else if (!loading) this.scrolled();
  }

  append(element, message) {
    const day = DAY.format(message.date * 1000);
    if (this.log.dataset.day !== day || !this.log.children.length) {
      this.log.dataset.day = day;
      this.log.append(h("div", { class: "day" }, day));
    }
    this.log.append(element);
  }

  showState() {
    const chat = this.chat;
    const empty = !chat?.messages.size;
    const begin = empty || chat.blocked;
    this.begin.hidden = !begin;
    this.begin.textContent = chat?.blocked ? "Unblock the bot" : "Start";
    this.begin.onclick = () => (chat?.blocked ? this.toggleBlock() : this.does("start"));
    this.composer.element.hidden = begin;
    this.element.classList.toggle("blocked", Boolean(chat?.blocked));
    this.blocker.hidden = empty || chat.blocked;
    this.log.classList.toggle("empty", empty);
    if (empty) this.log.dataset.hint = `Press Start, and ${this.store.bot.first_name} will answer.`;
    this.subtitle.textContent = this.stateText(chat);
    this.subtitle.className = chat?.typing ? "typing" : this.store.online ? "" : "offline";
  }

  stateText(chat) {
    if (!this.store.online) return "connecting…";
    if (chat?.blocked) return "blocked";
    if (chat?.typing) return chat.typing.startsWith("upload_photo") ? "sending a photo" : "typing";
    const old = [...(chat?.waiting.values() ?? [])].filter((since) => Date.now() - since > AWAY_AFTER);
    if (old.length) return `away: ${old.length} ${old.length === 1 ? "message waits" : "messages wait"}`;
    return "bot";
  }

  typing() {
    clearTimeout(this.typingEnds);
    this.typingEnds = setTimeout(() => {
      if (this.chat) this.chat.typing = null;
      this.showState();
    }, TYPING_SHOWN);
  }

  /* What the person does. */

  async does(kind, fields) {
    return this.attempt(() => act(kind, this.personId, fields));
  }

  async attempt(action) {
    try {
      return await action();
    } catch (error) {
      this.toast(error instanceof TypeError ? "No connection to the sandbox" : error.message, "error");
      return null;
    }
  }

  says(text) {
    const start = /^\/start(?: ([\w-]{1,64}))?$/.exec(text);
    return start ? this.does("start", { payload: start[1] ?? "" }) : this.does("text", { text });
  }

  sendsOther(what) {
    return this.does("other", { what });
  }

  uploads(kind, files, caption) {
    return this.attempt(() => upload(kind, this.personId, files.slice(0, 10), caption ? { caption } : {}));
  }

  drop(event) {
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    const pictures = files.every((file) => file.type.startsWith("image/"));
    if (files.length) this.uploads(pictures ? (files.length > 1 ? "album" : "photo") : "document", files, "");
  }

  changes(message, text) {
    return this.does("edit", { message_id: message.message_id, text });
  }

  edits(message) {
    this.composer.edit(message);
  }

  editsLast() {
    const own = this.chat.list().filter((one) => one.from.id === this.personId && (one.text || one.caption));
    if (own.length) this.edits(own.at(-1));
  }

  async toggleBlock() {
    if (this.chat.blocked) return this.does("unblock");
    const sure = await ask("Block the bot?", "It will be told, and cannot write to you until you unblock it.", [
      { label: "Cancel", value: "" }, { label: "Block", value: "yes", kind: "danger" },
    ]);
    return sure === "yes" ? this.does("block") : null;
  }

  async taps(message, { text, callback_data: data }, key) {
    if (data === undefined || key.classList.contains("waiting")) return;
    key.classList.add("waiting");
    const done = await this.does("tap", { message_id: message.message_id, data });
    if (!done) return key.classList.remove("waiting");
    const timer = setTimeout(() => this.untap(done.callback_query_id), TAP_PATIENCE);
    this.pending.set(done.callback_query_id, { key, timer, text, messageId: message.message_id });
    if (this.early?.has(done.callback_query_id)) this.untap(done.callback_query_id);
  }

  /** A message was drawn anew while one of its buttons waits for an answer. */
  remark(id, tap, element) {
    const key = [...element.querySelectorAll(".key")].find((one) => one.textContent === tap.text);
    if (key) this.pending.set(id, { ...tap, key });
    key?.classList.add("waiting");
  }

  untap(id) {
    const tap = this.pending.get(id);
    if (!tap) return;
    clearTimeout(tap.timer);
    tap.key.classList.remove("waiting");
    this.pending.delete(id);
  }

  answered({ callback_query_id: id, text, show_alert: alert }) {
    this.early = new Set([...(this.early ?? []), id].slice(-20));
    this.untap(id);
    if (text && alert) ask(this.store.bot.first_name, text, [{ label: "OK", value: "ok", kind: "main" }]);
    else if (text) this.toast(text);
  }

  toast(text, kind = "") {
    const element = h("div", { class: `toast ${kind}` }, text);
    this.toasts.append(element);
    setTimeout(() => element.remove(), TOAST_SHOWN);
  }

  waits(messageId) {
    return this.chat?.waiting.has(messageId);
  }

  /* Scrolling. */

  isAtEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR;
  }

  toEnd(behavior = "auto") {
    this.stuck = true;
    this.log.scrollTo({ top: this.log.scrollHeight, behavior });
  }

  grown() {
    if (this.stuck) this.toEnd();
  }

  scrolled() {
    const end = this.isAtEnd();
    if (!end) this.stuck = false;
    this.down.hidden = end;
  }
}
