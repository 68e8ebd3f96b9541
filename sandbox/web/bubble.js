// One message, or the messages of an album, as a bubble.

import { fileAddress } from "./api.js";
import { h, icon } from "./dom.js";
import { formatted } from "./entities.js";

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const UNITS = ["B", "KB", "MB", "GB"];

/** The bubble for messages that belong together, which is one unless they are an album. */
export function bubble(messages, view) {
  const first = messages[0];
  const mine = first.from.id === view.personId;
  const service = serviceText(first);
  if (service) return h("div", { class: "service" }, service);
  const bare = Boolean(first.sticker) && !first.reply_markup;
  const wordless = !messages.some((message) => message.text || message.caption);
  const edited = messages.at(-1).edit_date && !messages.at(-1).reply_markup;
  return h(
    "article",
    { class: ["message", mine ? "mine" : "theirs", bare && "bare", wordless && "wordless", edited && "edited"].filter(Boolean).join(" "), "aria-label": mine ? "You" : first.from.first_name },
    h("div", { class: "bubble" },
      quote(first.reply_to_message), media(messages, view), other(first), words(messages, view),
      foot(messages, mine, view)),
    buttons(first, view),
  );
}

function serviceText(message) {
  if (message.migrate_to_chat_id) return "This group became a supergroup";
  if (message.migrate_from_chat_id) return "The group goes on here";
  return message.group_chat_created ? "The group was made" : null;
}

function quote(original) {
  if (!original) return null;
  const text = original.text ?? original.caption ?? (original.photo ? "Photo" : "Message");
  return h("div", { class: "quote" }, h("b", {}, original.from.first_name), h("span", {}, text));
}

function media(messages, view) {
  const photos = messages.filter((message) => message.photo);
  if (photos.length) {
    return h("div", { class: `photos count-${Math.min(photos.length, 4)}` }, photos.map((one) => photo(one, view)));
  }
  return messages.filter((message) => message.document).map(document_);
}

function photo(message, view) {
  const size = message.photo.at(-1);
  const image = h("img", {
    src: fileAddress(size.file_id), alt: message.caption ?? "Photo", loading: "lazy",
    width: String(size.width), height: String(size.height), onload: () => view.grown(),
  });
  return h("button", { class: "photo", type: "button", "aria-label": "Show the photo", onclick: () => enlarge(image) }, image);
}

function enlarge(image) {
  const copy = h("img", { src: image.src, alt: image.alt });
  const dialog = h("dialog", { class: "lightbox", onclick: () => dialog.close(), onclose: () => dialog.remove() }, copy,
    h("button", { class: "round", type: "button", "aria-label": "Close" }, icon("close")));
  document.body.append(dialog);
  dialog.showModal();
}

function document_({ document: file }) {
  return h("a", { class: "file", href: fileAddress(file.file_id), download: file.file_name },
    h("span", { class: "file-icon" }, icon("file")),
    h("span", {}, h("b", {}, file.file_name), h("small", {}, size(file.file_size))));
}

function size(bytes) {
  const power = bytes ? Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), UNITS.length - 1) : 0;
  return `${(bytes / 1024 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

function other(message) {
  const row = (sign, title, text) =>
    h("div", { class: "file" }, h("span", { class: "file-icon" }, icon(sign)),
      h("span", {}, h("b", {}, title), h("small", {}, text)));
  if (message.sticker) return h("div", { class: "sticker", role: "img", "aria-label": "Sticker" }, message.sticker.emoji);
  if (message.voice) return row("voice", "Voice message", `${message.voice.duration} s`);
  if (message.location) return row("pin", "Location", `${message.location.latitude}, ${message.location.longitude}`);
  if (message.contact) return row("person", message.contact.first_name, message.contact.phone_number);
  return null;
}

function words(messages, view) {
  const told = messages.find((message) => message.text ?? message.caption);
  if (!told) return null;
  const entities = told.entities ?? told.caption_entities;
  const said = formatted(told.text ?? told.caption, entities, (command) => view.says(command));
  // Room in the last line for the time, which stands there without taking a line of its own.
  return h("div", { class: "words" }, said, h("span", { class: "room", "aria-hidden": "true" }));
}

function foot(messages, mine, view) {
  const last = messages.at(-1);
  const editable = mine && (last.text || last.caption);
  return h("div", { class: "foot" },
    editable && h("button", { class: "edit", type: "button", "aria-label": "Edit this message", title: "Edit",
      onclick: () => view.edits(last) }, icon("edit")),
    last.edit_date && !last.reply_markup && h("span", {}, "edited "),
    h("time", { datetime: new Date(last.date * 1000).toISOString() }, TIME.format(last.date * 1000)),
    mine && ticks(messages, view));
}

/** One tick: the sandbox has it. Two: the bot has confirmed it. */
function ticks(messages, view) {
  const waits = messages.some((message) => view.waits(message.message_id));
  const said = waits ? "Waiting for the bot" : "The bot has it";
  return h("span", { class: `ticks ${waits ? "" : "taken"}`, title: said, role: "img", "aria-label": said },
    icon(waits ? "one" : "two"));
}

function buttons(message, view) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows?.length) return null;
  return h("div", { class: "keyboard" }, rows.map((row) => h("div", { class: "row" }, row.map((one) => button(one, message, view)))));
}

function button(given, message, view) {
  if (given.url) {
    const safe = /^(?:https?|tg):/i.test(given.url) ? given.url : undefined;
    return h("a", { class: "key", href: safe, target: "_blank", rel: "noopener noreferrer" }, given.text, icon("link"));
  }
  const tap = (event) => view.taps(message, given, event.currentTarget);
  return h("button", { class: "key", type: "button", onclick: tap }, given.text);
}
