// Talking to the sandbox.

/** What the sandbox refuses, with its reason. */
export class Refused extends Error {}

async function call(path, options) {
  const answer = await fetch(`/control${path}`, options);
  const body = await answer.json();
  if (!body.ok) throw new Refused(body.description.replace(/^[A-Z][A-Za-z ]*: /, ""));
  return body.result;
}

export const get = (path) => call(path);

export const post = (path, body) =>
  call(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/** Something a person does. */
export const act = (kind, personId, fields = {}) => post("/inputs", { kind, person_id: personId, ...fields });

/** Something a person does with files. */
export function upload(kind, personId, files, fields = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ kind, person_id: personId, ...fields })) form.append(name, value);
  files.forEach((file, index) => form.append(`file${index}`, file, file.name || "photo.png"));
  return call("/inputs", { method: "POST", body: form });
}

export const fileAddress = (fileId) => `/control/files/${encodeURIComponent(fileId)}`;

const KINDS = [
  "message", "edited", "deleted", "toast", "typing", "chat", "person", "commands", "reply_keyboard", "taken",
  "reset", "resync",
];

/** Changes as they happen; the browser connects again by itself, and this does where the browser gives up. */
export class Stream {
  constructor({ onChange, onState }) {
    this.onChange = onChange;
    this.onState = onState;
    this.last = 0;
  }

  start(after) {
    this.last = after;
    this.source = new EventSource(`/control/changes?after=${after}`);
    this.source.onopen = () => this.onState(true);
    this.source.onerror = () => this.failed();
    for (const kind of KINDS) {
      this.source.addEventListener(kind, (event) => {
        this.last = Number(event.lastEventId) || this.last;
        this.onChange(kind, JSON.parse(event.data));
      });
    }
  }

  /** A page nobody looks at keeps no connection: a browser has six for all pages of a server together. */
  stop() {
    this.source?.close();
    this.source = null;
  }

  resume() {
    if (!this.source) this.start(this.last);
  }

  failed() {
    this.onState(false);
    if (this.source.readyState !== EventSource.CLOSED) return;
    this.source = null;
    setTimeout(() => this.resume(), 1000);
  }
}
