// Where a person writes: text, commands, photos and the rest.

import { h, icon } from "./dom.js";

const TALLEST = 140;

/** The bar at the bottom of a phone. `view` says, uploads and edits; the commands come from the store. */
export class Composer {
  constructor(view) {
    this.view = view;
    this.editing = null;
    this.text = h("textarea", {
      rows: "1", maxlength: "4096", placeholder: "Message", "aria-label": "Message", enterkeyhint: "send",
      autocomplete: "off", oninput: () => this.changed(), onkeydown: (event) => this.key(event),
      onpaste: (event) => this.paste(event),
    });
    this.commands = h("button", { class: "round menu", type: "button", "aria-label": "Commands", "aria-expanded": "false",
      title: "Commands", onclick: () => this.toggleCommands() }, "/");
    this.attach = h("button", { class: "round", type: "button", "aria-label": "Attach", title: "Attach",
      "aria-expanded": "false", onclick: () => this.toggleAttach() }, icon("attach"));
    this.send = h("button", { class: "round send", "aria-label": "Send", title: "Send" }, icon("send"));
    this.note = h("div", { class: "editing", hidden: true });
    this.list = h("div", { class: "sheet", hidden: true });
    this.keys = h("div", { class: "reply-keys", hidden: true });
    this.form = h("form", { class: "bar", onsubmit: (event) => this.submit(event) },
      this.commands, this.text, this.attach, this.send);
    this.element = h("div", { class: "composer" }, this.list, this.note, this.form, this.keys, ...this.pickers());
    this.changed();
  }

  pickers() {
    const picker = (name, properties, kind) => {
      const input = h("input", { type: "file", hidden: true, tabindex: "-1", ...properties,
        onchange: () => this.picked(kind, input) });
      this[name] = input;
      return input;
    };
    return [
      picker("photos", { accept: "image/*", multiple: true }, "photo"),
      picker("camera", { accept: "image/*", capture: "environment" }, "photo"),
      picker("files", {}, "document"),
    ];
  }

  picked(kind, input) {
    const files = [...input.files];
    input.value = "";
    if (files.length) this.view.uploads(kind === "photo" && files.length > 1 ? "album" : kind, files, this.takeCaption());
  }

  /** What is written goes along with a picture as its caption. */
  takeCaption() {
    const caption = this.editing ? "" : this.text.value.trim();
    if (caption) this.set("");
    return caption;
  }

  paste(event) {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    this.view.uploads(files.length > 1 ? "album" : "photo", files, this.takeCaption());
  }

  set(text) {
    this.text.value = text;
    this.changed();
  }

  changed() {
    this.text.style.height = "auto";
    if (this.text.scrollHeight) this.text.style.height = `${Math.min(this.text.scrollHeight, TALLEST)}px`;
    const empty = !this.text.value.trim();
    this.send.disabled = empty;
    this.element.classList.toggle("empty", empty);
    const typed = /^\/(\w*)$/.exec(this.text.value);
    if (typed && !this.editing) this.showCommands(typed[1]);
    else this.hide();
  }

  key(event) {
    if (event.key === "Escape") {
      if (this.editing) this.stopEditing();
      this.hide();
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "ArrowUp" && !this.text.value) {
      event.preventDefault();
      this.view.editsLast();
    } else if (event.key === "ArrowDown" && !this.list.hidden) {
      event.preventDefault();
      this.list.querySelector("button")?.focus();
    }
  }

  async submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    if (!text) return;
    const editing = this.editing;
    this.stopEditing();
    this.set("");
    const sent = editing ? await this.view.changes(editing, text) : await this.view.says(text);
    if (!sent && !this.text.value) this.set(text);
  }

  edit(message) {
    this.editing = message;
    this.note.replaceChildren(icon("edit"), h("span", {}, h("b", {}, "Edit message"), h("small", {}, message.text ?? message.caption)),
      h("button", { class: "round small", type: "button", "aria-label": "Stop editing", onclick: () => this.stopEditing() }, icon("close")));
    this.note.hidden = false;
    this.set(message.text ?? message.caption);
    this.text.focus();
  }

  stopEditing() {
    if (!this.editing) return;
    this.editing = null;
    this.note.hidden = true;
    this.set("");
  }

  setCommands(commands) {
    this.known = commands;
    this.commands.hidden = !commands.length;
  }

  toggleCommands() {
    if (!this.list.hidden && this.list.dataset.kind === "commands") this.hide();
    else this.showCommands("");
  }

  showCommands(start) {
    const fitting = (this.known ?? []).filter(({ command }) => command.startsWith(start));
    if (!fitting.length) return this.hide();
    return this.show("commands", fitting.map(({ command, description }) => [
      () => this.view.says(`/${command}`), h("b", {}, `/${command}`), h("small", {}, description),
    ]), this.commands);
  }

  toggleAttach() {
    if (!this.list.hidden && this.list.dataset.kind === "attach") return this.hide();
    const line = (sign, label, action) => [action, icon(sign), h("span", {}, label)];
    const other = (sign, label, what) => line(sign, label, () => this.view.sendsOther(what));
    return this.show("attach", [
      line("image", "Photos", () => this.photos.click()), line("camera", "Camera", () => this.camera.click()),
      line("file", "File", () => this.files.click()), other("sticker", "Sticker", "sticker"),
      other("voice", "Voice message", "voice"), other("pin", "Location", "location"), other("person", "Contact", "contact"),
    ], this.attach);
  }

  show(kind, lines, opener) {
    this.hide();
    this.list.dataset.kind = kind;
    this.list.replaceChildren(...lines.map(([action, ...children]) =>
      h("button", { type: "button", class: "line", onclick: () => { this.hide(); this.set(""); action(); this.text.focus(); } }, children)));
    this.list.onkeydown = (event) => this.listKey(event);
    this.list.hidden = false;
    opener.setAttribute("aria-expanded", "true");
  }

  listKey(event) {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (event.key === "Escape") this.text.focus();
    if (event.key === "Escape") this.hide();
    if (!step) return;
    event.preventDefault();
    (document.activeElement[step] ?? this.text).focus();
  }

  hide() {
    this.list.hidden = true;
    for (const opener of [this.commands, this.attach]) opener.setAttribute("aria-expanded", "false");
  }

  /** The keyboard a bot put in the place of the phone's own. */
  setReplyKeyboard(keyboard) {
    const rows = keyboard?.keyboard ?? [];
    const label = (key) => (typeof key === "string" ? key : key.text);
    this.keys.hidden = !rows.length;
    this.keys.replaceChildren(...rows.map((row) => h("div", { class: "row" }, row.map((key) =>
      h("button", { class: "key", type: "button", onclick: () => this.view.says(label(key)) }, label(key))))));
  }
}
