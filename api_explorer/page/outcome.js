// An answer for people: in words, on a scale, and exactly for who asks.
import { make, told } from "./dom.js";
import { scaleOf } from "./scale.js";
import { exactText, scoreText } from "./units.js";
import { vectorActions, vectorStrip } from "./vector.js";

export function showOutcome(place, answered, calibration) {
  const { answer } = answered;
  const parts = "similarity" in answer ? similarity(answer.similarity, calibration) : vector(answer.result);
  place.replaceChildren(...parts, details(answered));
}

function similarity(score, calibration) {
  const kind = calibration.kind(score);
  const limits = { copy: calibration.known?.copies, edit: calibration.known?.edits, scene: calibration.known?.scenes };
  const values = {
    start: scoreText(calibration.start),
    most: scoreText(calibration.known?.most ?? 0),
    limit: (limits[kind] ?? calibration.known?.scenes ?? 0).toFixed(2),
  };
  const number = make("p", { className: "number", textContent: scoreText(score) });
  number.dataset.kind = kind;
  const words = [told("p", `kind.${kind}`, {}, { className: "verdict" }), told("p", `meaning.${kind}`, values)];
  return [make("div", { className: "score" }, number, make("div", {}, ...words)), scaleOf(score, calibration)];
}

function vector(numbers) {
  const title = told("p", "vector.title", { count: numbers.length }, { className: "verdict" });
  return [title, vectorStrip(numbers), vectorActions(numbers)];
}

// The exact number, and how the answer came to be.
function details({ answer, milliseconds, model, timing, requestId }) {
  const rows = [];
  if ("similarity" in answer) {
    rows.push(["details.exact", exactText(answer.similarity)], ["details.cosine", exactText(2 * answer.similarity - 1)]);
  }
  rows.push(["details.model", model ?? "?"], ["details.time", `${Math.round(milliseconds)} ms`]);
  rows.push(["details.server", timing.map(([name, duration]) => `${name} ${duration} ms`).join(", ") || "?"]);
  rows.push(["details.request", requestId ?? "?"]);
  const list = rows.flatMap(([key, value]) => [told("dt", key), make("dd", { textContent: value })]);
  return make("details", { className: "details" }, told("summary", "details.title"), make("dl", {}, ...list));
}
