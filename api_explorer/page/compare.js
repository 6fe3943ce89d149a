// Two pictures and their similarity, or one and its vector.
import { pairAnswer, vectorAnswer } from "./answers.js";
import { MAX_PICTURE_BYTES } from "./caller.js";
import { byId } from "./dom.js";
import { exampleFiles } from "./examples.js";
import { showFailure } from "./failure.js";
import { showOutcome } from "./outcome.js";
import { base64 } from "./prepare.js";
import { makeSlot } from "./slot.js";
import { startSnippets } from "./snippets.js";
import { hush, say } from "./words.js";

// folder: takes what is more than two pictures.
export function startCompare({ caller, description, calibration, folder }) {
  let underWay = null; // the call whose answer is for the pictures that are shown
  const snippets = startSnippets(description["x-deployment"], `${caller.base}/image-similarity`);
  const options = { maxBytes: Math.floor(MAX_PICTURE_BYTES / 2), onChange: () => refresh(), onFiles: take };
  const slots = [0, 1].map((index) => makeSlot(index, options));
  document.querySelector("#compare .slots").replaceChildren(...slots.map((slot) => slot.element));

  const sources = () => slots.map((slot) => slot.source).filter(Boolean);

  // Whatever changes takes the answer away: it was about other pictures.
  function refresh() {
    underWay?.abort();
    setUnderWay(null);
    const chosen = sources();
    byId("send").disabled = chosen.length === 0 || chosen.some((source) => source.failure);
    byId("empty").hidden = chosen.length === 0;
    byId("swap").hidden = chosen.length < 2;
    say(byId("send"), chosen.length === 1 ? "compare.vector" : "compare.send");
    hush(byId("outcome"));
    snippets.show(chosen);
  }

  // The button is not disabled meanwhile: that would take the focus away from who pressed it.
  function setUnderWay(call) {
    underWay = call;
    byId("send").setAttribute("aria-disabled", call !== null);
  }

  // Files that were chosen, dropped or pasted; where they are two, they fill both slots.
  function take(files, slot = null) {
    if (files.length > 2) {
      folder.take(files);
    } else if (files.length === 2) {
      slots.forEach((each, index) => each.choose(files[index]));
    } else {
      takeOne(files[0], slot);
    }
  }

  // A File or a URL, into a slot, or into one that is free.
  function takeOne(given, slot = null) {
    (slot ?? slots.find(({ source }) => !source) ?? slots[1]).choose(given);
  }

  async function send() {
    if (underWay) {
      return;
    }
    const mine = new AbortController();
    setUnderWay(mine);
    say(byId("outcome"), "compare.asking");
    const show = await ask(caller, sources(), mine.signal, calibration);
    // Only while `mine` is the call under way are the pictures still those that it is about.
    if (underWay === mine) {
      setUnderWay(null);
      hush(byId("outcome"));
      show(byId("outcome"));
    }
  }

  byId("send").addEventListener("click", send);
  document.querySelector("#compare .slots").addEventListener("keydown", ({ key, target }) => {
    if (key === "Enter" && target.type === "url" && !byId("send").disabled) {
      send();
    }
  });
  byId("empty").addEventListener("click", () => {
    slots.forEach((slot) => slot.choose(null));
    slots[0].input.focus();
  });
  byId("swap").addEventListener("click", () => {
    const [first, second] = slots.map(({ source }) => source.file ?? source.url);
    slots[0].choose(second);
    slots[1].choose(first);
  });
  byId("examples").addEventListener("click", () => {
    exampleFiles(description).forEach((file, index) => slots[index].choose(file));
    byId("send").focus();
  });
  refresh();
  return {
    take,
    takeOne,
    show(shown) {
      byId("compare").hidden = !shown;
      if (!shown) {
        refresh();
      }
    },
    slotOf: (element) => slots.find((slot) => slot.element.contains(element)),
  };
}

// Gives a function that shows the answer, or why there is none.
async function ask(caller, sources, signal, calibration) {
  try {
    await Promise.all(sources.map(({ ready }) => ready));
    const named = await Promise.all(sources.map(async ({ url, blob }) => (url ? { url } : { img: await base64(blob) })));
    const payload = named.length === 1 ? named[0] : numbered(named);
    const taking = named.length === 1 ? vectorAnswer : pairAnswer;
    const answered = await caller.post("/image-similarity", payload, taking, signal);
    return (place) => showOutcome(place, answered, calibration);
  } catch (error) {
    return (place) => showFailure(place, error);
  }
}

// [{img}, {url}] as {img_1, url_2}.
function numbered(sources) {
  const named = sources.flatMap((source, at) => Object.entries(source).map(([key, value]) => [`${key}_${at + 1}`, value]));
  return Object.fromEntries(named);
}
