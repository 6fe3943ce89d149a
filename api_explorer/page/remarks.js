// What happened to pictures of a folder: those that were changed before they were sent, and those that failed.
import { make, told } from "./dom.js";
import { failureNote } from "./failure.js";
import { say } from "./words.js";

export function changesOf(pictures) {
  const changed = pictures.filter(({ note }) => note);
  if (changed.length === 0) {
    return null;
  }
  const items = changed.map(({ path, note }) => remark(path, say(make("span"), note.key, note.values)));
  return folded("folder.changed", changed.length, items);
}

export function failuresOf(pictures) {
  const failed = pictures.filter(({ failure }) => failure);
  if (failed.length === 0) {
    return null;
  }
  const items = failed.map(({ path, failure }) => remark(path, failureNote(failure)));
  const made = folded("folder.failed", failed.length, items);
  made.classList.add("unusable");
  return made;
}

function remark(path, note) {
  return make("li", {}, make("span", { className: "path", textContent: path }), " ", note);
}

function folded(key, count, items) {
  return make("details", { className: "remarks" }, told("summary", key, { count }), make("ul", {}, ...items));
}
