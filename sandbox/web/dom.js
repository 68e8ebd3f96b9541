// Making elements. Text goes in as text nodes only: nothing a person or a bot wrote is ever read as markup.

/** An element with properties and children; a string child becomes text. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SHAPES = {
  send: "M4 12 20 4l-5 16-3.5-6.5L4 12Zm7.5 1.5L20 4",
  attach: "m20 11-8.5 8.5a5 5 0 0 1-7-7L13 4a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4L14.5 7",
  camera: "M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Zm8 9a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  more: "M12 5h.01M12 12h.01M12 19h.01",
  close: "M6 6l12 12M18 6 6 18",
  add: "M12 5v14M5 12h14",
  reset: "M4 12a8 8 0 1 0 3-6.2M4 4v4h4",
  edit: "m4 20 1-4L16 5l3 3L8 19l-4 1Z",
  pin: "M12 21s7-6 7-11a7 7 0 1 0-14 0c0 5 7 11 7 11Zm0-8a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm-7 8a7 7 0 0 1 14 0",
  voice: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3Zm-6 8a6 6 0 0 0 12 0M12 18v3",
  sticker: "M5 4h14v10l-6 6H5zM19 14h-6v6M9 9h.01M14 9h.01M9 12.5c1 1.3 3 1.3 4 0",
  block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM6 6l12 12",
  down: "m6 9 6 6 6-6",
  back: "m15 5-7 7 7 7",
  link: "M8 16 16 8M9 8h7v7",
  one: "m5 13 4 4L19 7",
  two: "m2 13 4 4L16 7M11 16l1 1L22 7",
};

/** A drawn sign; what it means is said beside it or in the button's label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

const HUES = [168, 210, 262, 24, 340, 130, 42, 290];

/** A round sign with somebody's initials, in a colour of their own. */
export function avatar(name, seed) {
  const initials = name.trim().split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("");
  const element = h("span", { class: "avatar", "aria-hidden": "true" }, initials.toUpperCase());
  element.style.setProperty("--hue", HUES[Math.abs(seed) % HUES.length]);
  return element;
}

/** A question in a window; what the buttons' `value` says, or "" when it is closed. */
export function ask(title, text, buttons) {
  const dialog = h(
    "dialog",
    { class: "dialog" },
    h("form", { method: "dialog" }, h("h2", {}, title), text ? h("p", {}, text) : null,
      h("div", { class: "dialog-buttons" }, buttons.map(({ label, value, kind }) =>
        h("button", { class: `button ${kind ?? ""}`, value }, label)))),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(dialog.returnValue);
    });
  });
}
