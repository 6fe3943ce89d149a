// A whole folder: chosen or dropped, sent in batches, shown as groups and as a matrix.
import { embedAll, isOpen } from "./batches.js";
import { button, byId, make, told } from "./dom.js";
import { failureAlert } from "./failure.js";
import { makeProgress } from "./progress.js";
import { makeResults } from "./results.js";
import { picturesOf, picturesOfEntries } from "./listing.js";
import { say } from "./words.js";

const MOST = 2000; // the matrix of more would not fit the browser's patience; the command line takes them

// compare: `take(files)` puts two pictures into the comparison.
export function startFolder({ caller, calibration, compare }) {
  let run = null; // {pictures, controller}: what is shown is of this one alone
  const body = byId("folder-body");
  const place = make("div", { id: "folder-outcome" });
  const news = make("p", { className: "unseen" }); // what there is, for those who don't see it
  news.setAttribute("role", "status");
  body.append(chooser("folder.choose", { webkitdirectory: true }, take), news, place);

  function take(files) {
    start(picturesOf(files));
  }

  async function takeEntries(entries) {
    const before = run;
    const found = await picturesOfEntries(entries);
    // else something was chosen, or the credentials were forgotten, while the folders were read
    if (run === before && !byId("folder").hidden) {
      start(found);
    }
  }

  function start(found) {
    run?.controller.abort();
    run?.pictures.forEach(({ shown }) => shown && URL.revokeObjectURL(shown));
    run = { pictures: found.slice(0, MOST).map((picture) => ({ failure: null, ...picture, vector: null })) };
    byId("folder").scrollIntoView({ block: "start", behavior: motion() });
    if (found.length === 0) {
      run.controller = new AbortController();
      const none = told("p", "folder.none", {}, { className: "failure" });
      none.setAttribute("role", "alert");
      place.replaceChildren(none);
      return;
    }
    proceed(run, found.length - run.pictures.length);
  }

  async function proceed(mine, leftOut = 0) {
    mine.controller = new AbortController();
    const { signal } = mine.controller;
    const progress = makeProgress(mine.pictures, () => mine.controller.abort());
    const notes = leftOut > 0 ? [told("p", "folder.too-many", { count: MOST, left: leftOut })] : [];
    place.replaceChildren(...notes, progress.element);
    say(news, "folder.preparing", { count: mine.pictures.length });
    let failure = null;
    try {
      const { refresh: onChange, wait: onWait } = progress;
      mine.model = await embedAll(mine.pictures, { caller, signal, onChange, onWait });
    } catch (error) {
      failure = error;
    }
    const parts = run === mine ? await finished(mine, failure) : [];
    if (run === mine) { // still, after the scores of many pictures were computed
      const held = place.contains(document.activeElement);
      place.replaceChildren(...notes, ...parts);
      if (held) {
        place.querySelector("button, select, summary")?.focus();
      }
    }
  }

  // What there is of a run that is done, was cancelled or failed.
  async function finished(mine, failure) {
    const parts = [];
    const open = mine.pictures.filter(isOpen).length;
    if (failure && failure.name !== "AbortError") {
      parts.push(failureAlert(failure));
    }
    if (open > 0) {
      const on = button("folder.continue", () => proceed(mine), { className: "primary" });
      parts.push(told("p", "folder.stopped", { count: open }), make("p", { className: "buttons" }, on));
      say(news, "folder.stopped", { count: open });
    }
    let silent = open > 0; // that there are some left is announced already
    const announce = (key, values) => !silent && run === mine && say(news, key, values);
    const results = await makeResults(mine, { calibration, compare, announce });
    silent = false;
    return [...parts, ...results];
  }

  return {
    take,
    takeEntries,
    // A run ends where the page is closed to its calls: what is left may be sent when it is open again.
    show(shown) {
      byId("folder").hidden = !shown;
      if (!shown) {
        run?.controller.abort();
      }
    },
  };
}

// A file input that looks like a button.
function chooser(key, properties, onFiles) {
  const input = make("input", { type: "file", id: "folder-files", className: "unseen", multiple: true, ...properties });
  input.addEventListener("change", () => {
    if (input.files.length > 0) {
      onFiles([...input.files]);
      input.value = ""; // the same folder may be chosen again
    }
  });
  const label = told("label", key, {}, { htmlFor: input.id, className: "button primary" });
  return make("p", { className: "chooser" }, input, label, told("span", "folder.drop", {}, { className: "quiet" }));
}

function motion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}
