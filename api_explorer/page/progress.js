// How far a folder is: pictures, rate, time left, and a way to stop.
import { button, make, told } from "./dom.js";
import { isOpen } from "./batches.js";
import { SECOND } from "./units.js";
import { say } from "./words.js";

export function makeProgress(pictures, cancel) {
  const start = performance.now();
  const before = pictures.length - pictures.filter(isOpen).length;
  const bar = make("progress", { max: pictures.length, value: before });
  const text = told("p", "folder.preparing", { count: pictures.length });
  bar.setAttribute("aria-labelledby", (text.id = "folder-progress"));
  const stop = button("folder.cancel", cancel);

  function refresh() {
    const open = pictures.filter(isOpen).length;
    const done = pictures.length - open;
    bar.value = done;
    if (done === before) {
      return; // there is no rate yet
    }
    const rate = (done - before) / ((performance.now() - start) / SECOND);
    const values = { done, count: pictures.length, rate: rate.toFixed(rate < 10 ? 1 : 0), left: Math.ceil(open / rate) };
    say(text, "folder.progress", values);
  }

  const wait = (seconds) => say(text, "folder.waiting", { seconds });
  return { element: make("div", { className: "progress" }, text, bar, stop), refresh, wait };
}
