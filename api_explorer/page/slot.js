// One of the two places of the comparison, or that of a search: a file that was chosen, dropped or pasted, or a URL.
import { make, told } from "./dom.js";
import { failureNote } from "./failure.js";
import { prepare, refuseUnread } from "./prepare.js";
import { sizeText } from "./units.js";
import { say, sayAttribute } from "./words.js";

const PLACES = ["first", "second", "query"];
const ACCEPTED = "image/*,.heic,.heif,.avif";

// onChange is called when the slot has another source, and when that can't be used. A source is null or
// {name, file, url, ready, failure}: `file` or `url`, a promise `ready`, and after that `blob` with what is sent.
export function makeSlot(index, { maxBytes, onChange, onFiles }) {
  const id = `file-${index + 1}`;
  const input = make("input", { type: "file", id, className: "unseen", accept: ACCEPTED, multiple: true });
  input.autocomplete = "off";
  const preview = make("div", { className: "preview" });
  const url = make("input", { type: "url", autocomplete: "off", spellcheck: false });
  const note = make("div", { className: "slot-note" });
  note.setAttribute("aria-live", "polite");
  const slot = { source: null, input, choose, element: null };
  slot.element = make(
    "div",
    { className: "slot" },
    told("h3", `slot.${PLACES[index]}`),
    input,
    make("label", { htmlFor: id, className: "drop" }, preview),
    url,
    note,
  );
  sayAttribute(input, "aria-label", `slot.${PLACES[index]}`);
  sayAttribute(url, "aria-label", `slot.${PLACES[index]}-url`);
  sayAttribute(url, "placeholder", "slot.url");
  input.addEventListener("change", () => input.files.length > 0 && onFiles([...input.files], slot));
  url.addEventListener("input", () => {
    take(url.value.trim() ? ofUrl(url.value.trim()) : null);
    nameIn(input, null); // else the browser would take the file that was there for no change
  });

  // A File, a URL, or null; `shown` is where the picture of a URL may be had.
  function choose(given, shown = null) {
    const isFile = given instanceof File;
    take(given && (isFile ? { name: given.name, file: given, url: null } : { ...ofUrl(given), shown }));
    url.value = given && !isFile ? given : "";
    nameIn(input, isFile ? given : null);
  }

  function take(source) {
    if (slot.source?.shown) {
      URL.revokeObjectURL(slot.source.shown);
    }
    slot.source = source && { failure: null, blob: null, ...source };
    if (source) {
      slot.source.ready = source.file ? read(slot.source) : Promise.resolve();
    }
    show();
    onChange();
  }

  async function read(source) {
    try {
      refuseUnread(source.file);
      source.shown = URL.createObjectURL(source.file);
      Object.assign(source, await prepare(source.file, { maxBytes }));
    } catch (error) {
      source.failure = error;
    }
    if (slot.source === source) {
      show();
      if (source.failure) {
        onChange();
      }
    }
  }

  function show() {
    const { source } = slot;
    slot.element.classList.toggle("filled", source !== null);
    preview.replaceChildren(...(source ? previewOf(source) : hint()));
    note.replaceChildren(...(source ? notesOf(source) : []));
  }

  show();
  return slot;
}

function ofUrl(url) {
  return { name: url.split("/").at(-1) || url, file: null, url };
}

function hint() {
  return [told("span", "slot.hint", {}, { className: "hint" }), told("span", "slot.choose", {}, { className: "choose" })];
}

function previewOf(source) {
  if (source.url && !source.shown) {
    return [make("span", { className: "address", textContent: source.url }), told("span", "slot.fetched")];
  }
  if (!source.shown || source.failure) {
    return [make("span", { className: "address", textContent: source.name })];
  }
  return [make("img", { alt: source.name, src: source.shown })];
}

function notesOf(source) {
  if (source.url) {
    return [];
  }
  const pixels = source.width ? ` · ${source.width} × ${source.height}` : "";
  const name = make("p", { className: "file-name", textContent: `${source.name} · ${sizeText(source.file.size)}${pixels}` });
  if (source.failure) {
    return [name, failureNote(source.failure)];
  }
  return source.note ? [name, say(make("p", { className: "changed" }), source.note.key, source.note.values)] : [name];
}

// Lets the input name the file that is shown, however it came.
function nameIn(input, file) {
  if (!file) {
    input.value = "";
  } else if (input.files[0] !== file || input.files.length > 1) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
  }
}
