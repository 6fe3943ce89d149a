// A score on a line from what unrelated pictures have to 1, with the kinds of the calibration as its parts.
import { make, told } from "./dom.js";
import { scoreText } from "./units.js";
import { sayAttribute } from "./words.js";

const KINDS = ["unrelated", "unclear", "scene", "edit", "copy"];

export function scaleOf(score, calibration) {
  const marker = make("div", { className: "marker" });
  marker.style.setProperty("--at", calibration.place(score));
  const kind = calibration.kind(score);
  const line = make("div", { className: "line" }, ...parts(calibration, kind), marker);
  const scale = make("div", { className: "scale" }, line, ends(calibration));
  line.setAttribute("role", "img");
  sayAttribute(line, "aria-label", "scale.label", { score: scoreText(score), start: scoreText(calibration.start) });
  return calibration.known ? make("div", {}, scale, legend(kind)) : scale;
}

// The part that the score lies in is `here`.
function className(kind, here) {
  return kind === here || (here === "same" && kind === "copy") ? `${kind} here` : kind;
}

function parts(calibration, here) {
  if (!calibration.known) {
    return [];
  }
  const { most, scenes, edits, copies } = calibration.known;
  const limits = [calibration.start, most, scenes, edits, copies, 1].map(calibration.place);
  return KINDS.map((kind, index) => {
    const part = make("div", { className: `part ${className(kind, here)}` });
    part.style.setProperty("--from", limits[index]);
    part.style.setProperty("--to", limits[index + 1]);
    return part;
  });
}

function ends({ start, known }) {
  const values = { start: scoreText(start) };
  return make(
    "div",
    { className: "ends" },
    told("span", known ? "scale.start" : "scale.start-unknown", values),
    told("span", "scale.end"),
  );
}

function legend(here) {
  const kinds = KINDS.map((kind) => told("li", `kind.${kind}`, {}, { className: className(kind, here) }));
  return make("ul", { className: "legend" }, ...kinds);
}

