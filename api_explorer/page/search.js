// The search of the catalogue: by a picture, by one of its own, or by words.
import { searchAnswer } from "./answers.js";
import { addressIn } from "./arrivals.js";
import { MAX_PICTURE_BYTES } from "./caller.js";
import { catalogueState } from "./catalogue.js";
import { byId, make, told } from "./dom.js";
import { failureAlert } from "./failure.js";
import { matchList } from "./matches.js";
import { base64 } from "./prepare.js";
import { makeSlot } from "./slot.js";
import { hush, say, sayAttribute } from "./words.js";

const SEARCH = "/catalogue/search";
const LIMITS = [12, 24, 48, 100];
const PREFIX = "s3://[a-z0-9.\\-]{3,63}/.*";
const QUERY_SLOT = 2; // the slots of the comparison are 0 and 1

// `show(false)` hides the section; it exists where the description has /catalogue/search.
export function startSearch({ caller, description, calibration }) {
  if (!(SEARCH in description.paths)) {
    return { show: () => {} };
  }
  let underWay = null; // the call whose answer is for the query that is shown
  const keys = new Set(); // of matches that were shown: the index has their vectors
  const slot = makeSlot(QUERY_SLOT, {
    maxBytes: MAX_PICTURE_BYTES,
    onChange: () => slot.source && words.value ? clearWords() : refresh(),
    onFiles: (files) => slot.choose(files[0]),
  });
  const words = make("input", { id: "search-words", type: "search", autocomplete: "off", maxLength: 1000 });
  const state = catalogueState(caller, { onText: (able) => (wordsPlace.hidden = !able), onBuckets: offerBuckets });
  const options = makeOptions();
  const send = told("button", "search.send", {}, { type: "submit", className: "primary" });
  const outcome = make("div", { id: "matches" });
  const news = make("p", { className: "news", tabIndex: -1 });
  news.setAttribute("role", "status");
  const wordsPlace = labelled("search.words", words);
  wordsPlace.hidden = true;
  sayAttribute(words, "placeholder", "search.words-hint");
  const asked = make("div", { className: "asked" }, wordsPlace, options.element, make("p", { className: "buttons" }, send));
  const form = make("form", { className: "query", noValidate: false }, slot.element, asked);
  form.setAttribute("role", "search");
  byId("search-body").replaceChildren(state.element, form, news, outcome);

  function clearWords() {
    words.value = "";
    refresh();
  }

  // Whatever changes takes the matches away: they were of another query.
  function refresh() {
    underWay?.abort();
    underWay = null;
    send.disabled = !words.value.trim() && (!slot.source || slot.source.failure !== null);
    hush(news);
    outcome.replaceChildren();
  }

  async function search() {
    const mine = new AbortController();
    const query = { words: words.value.trim(), source: slot.source };
    refresh();
    underWay = mine;
    say(news, "search.asking");
    try {
      const payload = { ...(await subjectOf(query, keys)), ...options.values(), links: true };
      const { answer } = await caller.post(SEARCH, payload, searchAnswer, mine.signal);
      if (underWay === mine) {
        showMatches(answer, query);
      }
    } catch (error) {
      if (underWay === mine) {
        hush(news);
        outcome.replaceChildren(failureAlert(error));
      }
    }
  }

  function showMatches({ matches, complete }, query) {
    matches.forEach(({ key }) => keys.add(key));
    const name = query.words || query.source.name;
    say(news, matches.length > 0 ? "search.matches" : "search.none", { count: matches.length, name });
    outcome.replaceChildren(...notesOnAnswer(matches, complete, query));
    if (document.activeElement === document.body) {
      news.focus(); // the button that asked for this is gone
    }
    if (matches.length > 0) {
      const like = ({ key, link }) => {
        slot.choose(key, link ?? null);
        form.scrollIntoView({ block: "nearest" });
        search();
      };
      outcome.append(matchList(matches, { calibration: query.words ? null : calibration, like, asked: query.source?.url }));
    }
  }

  function offerBuckets(buckets) {
    options.offer(buckets.map((bucket) => `s3://${bucket}/`));
  }

  words.addEventListener("input", () => (words.value && slot.source ? slot.choose(null) : refresh()));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  // What was asked for with other bounds is asked for again, answered or not.
  options.element.addEventListener("change", () => {
    const again = underWay !== null;
    refresh();
    if (again && form.reportValidity()) {
      search();
    }
  });
  takeArrivals(byId("search"), (given) => {
    slot.choose(given);
    if (!send.disabled && form.reportValidity()) {
      search();
    }
  });
  refresh();
  return {
    show(shown) {
      byId("search").hidden = !shown;
      keys.clear(); // they are of whom the API answered before
      refresh();
      state.show(shown);
    },
  };
}

// What a search is by, as the API takes it.
async function subjectOf({ words, source }, keys) {
  if (words) {
    return { text: words };
  }
  await source.ready;
  if (source.url) {
    return keys.has(source.url) ? { key: source.url } : { url: source.url };
  }
  return { img: await base64(source.blob) };
}

function notesOnAnswer(matches, complete, { words }) {
  return [
    complete ? null : told("p", "search.incomplete", {}, { className: "remark" }),
    matches.length > 0 && !matches.some(({ link }) => link) ? told("p", "search.no-links", {}, { className: "quiet" }) : null,
    matches.length > 0 && words ? told("p", "search.words-scores", {}, { className: "quiet" }) : null,
  ].filter(Boolean);
}

function makeOptions() {
  const limit = make("select", { name: "limit", autocomplete: "off" }, ...LIMITS.map((count) => new Option(count)));
  const least = make("input", { name: "least", type: "number", min: 0, max: 1, step: 0.01, autocomplete: "off" });
  const prefix = make("input", { name: "prefix", pattern: PREFIX, spellcheck: false, autocomplete: "off" });
  const known = make("datalist", { id: "search-buckets" });
  prefix.setAttribute("list", known.id);
  sayAttribute(least, "placeholder", "search.any");
  sayAttribute(prefix, "placeholder", "search.everywhere");
  sayAttribute(prefix, "title", "search.prefix-form");
  return {
    element: make(
      "div",
      { className: "options" },
      labelled("search.limit", limit),
      labelled("search.least", least),
      labelled("search.prefix", prefix),
      known,
    ),
    offer: (prefixes) => known.replaceChildren(...prefixes.map((one) => new Option(one))),
    values: () => ({
      limit: Number(limit.value),
      ...(least.value === "" ? {} : { min_similarity: Number(least.value) }),
      ...(prefix.value.trim() ? { prefix: prefix.value.trim() } : {}),
    }),
  };
}

function labelled(key, field) {
  return make("label", {}, told("span", key), field);
}

// Pictures and addresses that are dropped on the section, or pasted in it, are looked for.
function takeArrivals(section, look) {
  section.addEventListener("drop", (event) => {
    const folders = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    const given = event.dataTransfer.files[0] ?? addressIn(event.dataTransfer);
    if (given && !folders) {
      event.preventDefault();
      look(given);
    }
  });
  section.addEventListener("paste", (event) => {
    const isField = event.target.matches?.("input, textarea, select");
    const given = event.clipboardData.files[0] ?? (isField ? "" : addressIn(event.clipboardData));
    if (given) {
      event.preventDefault();
      event.stopPropagation();
      look(given);
    }
  });
}
