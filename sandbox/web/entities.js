// Text with entities, as elements. Offsets count UTF-16 code units, as JavaScript's strings do.

import { h } from "./dom.js";

const SAFE = /^(?:https?|tg|ton|mailto|tel):/i;

const MADE = {
  bold: (inside) => h("b", {}, inside),
  italic: (inside) => h("i", {}, inside),
  underline: (inside) => h("u", {}, inside),
  strikethrough: (inside) => h("s", {}, inside),
  code: (inside) => h("code", {}, inside),
  pre: (inside, entity) => h("pre", { "aria-label": entity.language }, h("code", {}, inside)),
  blockquote: (inside) => h("blockquote", {}, inside),
  expandable_blockquote: (inside) => h("blockquote", {}, inside),
  mention: (inside) => h("span", { class: "mention" }, inside),
  hashtag: (inside) => h("span", { class: "mention" }, inside),
  spoiler: spoiler,
  url: (inside, _, text) => link(inside, /^https?:/i.test(text) ? text : `https://${text}`),
  email: (inside, _, text) => link(inside, `mailto:${text}`),
  text_link: (inside, entity) => link(inside, entity.url),
};

function link(inside, address) {
  if (!SAFE.test(address)) return h("span", {}, inside);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, inside);
}

function spoiler(inside) {
  const show = (event) => event.currentTarget.classList.add("shown");
  return h("button", { class: "spoiler", type: "button", "aria-label": "Hidden text", onclick: show }, inside);
}

/** The text as a list of nodes; a tapped command is given to `onCommand`. */
export function formatted(text, entities, onCommand) {
  const sorted = [...(entities ?? [])].sort((one, other) => one.offset - other.offset || other.length - one.length);
  const made = (entity, inside) => {
    const piece = text.slice(entity.offset, entity.offset + entity.length);
    if (entity.type === "bot_command") {
      return h("button", { class: "command", type: "button", onclick: () => onCommand(piece) }, inside);
    }
    return MADE[entity.type]?.(inside, entity, piece) ?? h("span", {}, inside);
  };
  return nodes(text, sorted, 0, text.length, made);
}

/** The nodes between two offsets: plain pieces, and entities with what they hold. */
function nodes(text, entities, start, end, made) {
  const found = [];
  let at = start;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const stop = Math.min(entity.offset + entity.length, end);
    if (entity.offset > at) found.push(text.slice(at, entity.offset));
    const inside = others.filter((other) => other.offset < stop);
    const begin = Math.max(entity.offset, at);
    if (stop > begin) found.push(made(entity, nodes(text, inside, begin, stop, made)));
    at = Math.max(at, stop);
    rest = others.filter((other) => other.offset >= stop);
  }
  if (at < end) found.push(text.slice(at, end));
  return found;
}
