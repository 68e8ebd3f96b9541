// The page: people at the side, phones beside each other.

import { post } from "./api.js";
import { ask, avatar, h, icon } from "./dom.js";
import { Phone } from "./phone.js";
import { Store } from "./store.js";

const NAMES = ["Ada", "Grace", "Linus", "Edsger", "Barbara", "Alan", "Margaret", "Dennis"];
const store = new Store();
const phones = new Map();
let shown = null;
const side = document.getElementById("people");
const stage = document.getElementById("phones");

/** Who is on the stage stands in the address, so that a page can be shared and survives a reload. */
const chosen = () => location.hash.slice(1).split(",").map(Number).filter((id) => store.people.has(id));

function choose(ids) {
  history.replaceState(null, "", ids.length ? `#${ids.join(",")}` : location.pathname);
  show();
}

const fitting = () => Math.max(1, Math.floor((stage.clientWidth + 24) / 384));

function open(id) {
  const others = chosen().filter((other) => other !== id);
  choose([...others, id].slice(-fitting()));
  document.body.classList.add("chatting");
  phones.get(id)?.composer.text.focus({ preventScroll: true });
}

function close(id) {
  choose(chosen().filter((other) => other !== id));
}

/** Put those on the stage who were chosen; when somebody else is chosen meanwhile, leave it to that call. */
async function show() {
  const ids = chosen();
  const call = (shown = Symbol("call"));
  for (const [id, phone] of phones) {
    if (!ids.includes(id)) {
      phone.close();
      phones.delete(id);
      store.forget(id);
    }
  }
  for (const id of ids) {
    if (phones.has(id)) continue;
    if (!store.chats.has(id)) await store.open(id);
    if (call !== shown) return;
    const back = () => document.body.classList.remove("chatting");
    phones.set(id, new Phone(store, id, { onClose: () => close(id), onBack: back }));
  }
  stage.replaceChildren(...ids.map((id) => phones.get(id)?.element).filter(Boolean), ...(ids.length ? [] : [welcome()]));
  for (const id of ids) phones.get(id)?.toEnd();
  showPeople();
}

function welcome() {
  const first = store.people.size === 0;
  return h("div", { class: "welcome" },
    h("img", { src: "icon.svg", alt: "", width: "72", height: "72" }),
    h("h1", {}, first ? "Chat with your bot" : "Pick somebody"),
    h("p", {}, first
      ? "This is a sandbox: it speaks Telegram's Bot API on your own machine. Make up a person, and write as them."
      : "Choose a person to write as, or make up another. On a wide screen several chats stand side by side."),
    newPerson());
}

function newPerson() {
  const name = h("input", { name: "name", required: true, maxlength: "64", value: NAMES[store.people.size % NAMES.length],
    "aria-label": "Name of the new person", autocomplete: "off" });
  const submit = async (event) => {
    event.preventDefault();
    const person = await post("/people", { first_name: name.value.trim() || "Somebody" });
    store.people.set(person.id, person);
    open(person.id);
  };
  return h("form", { class: "new", onsubmit: submit }, name, h("button", { class: "button main" }, icon("add"), h("span", {}, "New person")));
}

function showPeople() {
  const ids = chosen();
  const row = (person) => h("button", { class: "person", type: "button", "aria-pressed": String(ids.includes(person.id)),
    onclick: () => open(person.id) },
    avatar(person.first_name, person.id),
    h("span", {}, h("b", {}, person.first_name), h("small", {}, person.username ? `@${person.username}` : `id ${person.id}`)));
  side.replaceChildren(
    h("header", { class: "brand" }, h("img", { src: "icon.svg", alt: "", width: "36", height: "36" }),
      h("div", {}, h("h1", {}, "Holdfast"), h("small", {}, "sandbox"))),
    h("nav", { class: "list", "aria-label": "People" }, [...store.people.values()].map(row)),
    ...(store.people.size ? [newPerson()] : []),
    h("details", { class: "own-bot" }, h("summary", {}, "Connect a bot of your own"),
      h("p", {}, "Any bot that lets you choose the API's address works here:"),
      h("code", {}, `${location.origin}/bot${store.token}/`)),
    h("footer", { class: "about" },
      h("p", { class: store.online ? "state on" : "state", role: "status" }, store.online ? "Connected" : "Connecting…"),
      store.people.size ? h("button", { class: "button quiet", type: "button", onclick: reset }, icon("reset"), "Reset") : null),
  );
}

async function reset() {
  const sure = await ask("Forget everything?", "All people, chats and waiting messages of this sandbox are deleted. What the bot remembers is not.", [
    { label: "Cancel", value: "" }, { label: "Forget everything", value: "yes", kind: "danger" },
  ]);
  if (sure === "yes") await post("/reset", {});
}

store.addEventListener("online", () => {
  showPeople();
  for (const phone of phones.values()) phone.showState();
});
store.addEventListener("commands", () => {
  for (const phone of phones.values()) phone.composer.setCommands(store.commands);
});
store.addEventListener("chat", ({ detail }) => phones.get(detail.id)?.changed(detail));
addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => (document.hidden ? store.stream.stop() : store.stream.resume()));
addEventListener("pagehide", () => store.stream.stop());
addEventListener("pageshow", ({ persisted }) => persisted && store.stream.resume());

async function begin() {
  try {
    await store.start();
    store.addEventListener("people", show);
    document.body.classList.toggle("chatting", chosen().length > 0);
    if (chosen().length || !store.people.size) show();
    else choose([...store.people.keys()].slice(0, fitting()));
  } catch {
    showPeople();
    setTimeout(begin, 1000);
  }
}

begin();
