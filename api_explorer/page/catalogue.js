// How the catalogue is: what waits, what failed and why, and when a sync looked at everything.
import { catalogueAnswer } from "./answers.js";
import { button, make, told } from "./dom.js";
import { failureAlert } from "./failure.js";
import { languageNow, say } from "./words.js";

const WAITING_MS = 5000; // between looks while pictures wait

// onText is told whether the model takes words, onBuckets the names of the buckets.
export function catalogueState(caller, { onText, onBuckets }) {
  const line = make("p", { className: "state-line" });
  const failed = make("details", { className: "failed", hidden: true });
  const refresh = button("search.refresh", () => look());
  const element = make("div", { className: "catalogue-state" }, line, refresh, failed);
  let shown = false;
  let timer = null;
  let underWay = new AbortController(); // of the last look: no other's answer is shown

  async function look() {
    stop();
    const { signal } = underWay;
    try {
      const { answer } = await caller.get("/catalogue", catalogueAnswer, signal);
      signal.throwIfAborted();
      onText(answer.text === true);
      onBuckets(answer.buckets);
      line.replaceChildren(...sentences(answer));
      listFailures(answer);
      if (shown && (answer.pending > 0 || answer.lastSync?.state === "running")) {
        timer = setTimeout(look, WAITING_MS);
      }
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      line.replaceChildren(failureAlert(error));
      failed.hidden = true;
    }
  }

  function stop() {
    clearTimeout(timer);
    underWay.abort();
    underWay = new AbortController();
  }

  function listFailures({ failed: count, failures = [] }) {
    const rows = failures.flatMap(({ key, message }) => [
      make("dt", { textContent: key }),
      make("dd", { textContent: message, lang: "en" }),
    ]);
    const open = failed.open;
    failed.hidden = count === 0;
    failed.replaceChildren(
      told("summary", "search.failed", { count }),
      rows.length > 0 ? make("dl", {}, ...rows) : told("p", "search.failed-unnamed", {}, { className: "quiet" }),
    );
    failed.open = open && count > 0;
  }

  return {
    element,
    show(visible) {
      shown = visible;
      stop();
      failed.hidden = true; // it was told to other credentials
      failed.replaceChildren();
      onBuckets([]);
      if (visible) {
        say(line, "search.looking");
        look();
      }
    },
  };
}

function sentences({ pending, complete, lastSync, buckets }) {
  const names = buckets.join(", ");
  const kind = complete ? "complete" : "incomplete";
  return [
    badge(pending > 0 ? "waiting" : kind, { count: pending }),
    make("span", { className: "buckets", textContent: names }),
    lastSync ? told("span", `search.sync.${lastSync.state}`, { time: () => timeText(lastSync.ended ?? lastSync.started) }) : told("span", "search.sync.never"),
  ].filter(Boolean);
}

function badge(kind, values) {
  const made = told("span", `search.is.${kind}`, values, { className: "badge" });
  made.dataset.is = kind;
  return made;
}

function timeText(moment) {
  return new Date(moment).toLocaleString(languageNow(), { dateStyle: "medium", timeStyle: "short" });
}
