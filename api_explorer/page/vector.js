// A vector as something to look at: a bar for each number, upwards where it is positive.
import { button, make, told } from "./dom.js";
import { say, sayAttribute } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HALF = 50; // units of the drawing above and below its middle
const DECIMALS = 6;

export function vectorStrip(numbers) {
  const largest = Math.max(...numbers.map(Math.abs));
  const drawing = svg("svg", { viewBox: `0 0 ${numbers.length} ${2 * HALF}`, preserveAspectRatio: "none", role: "img" });
  for (const [name, chosen] of [["positive", (n) => n >= 0], ["negative", (n) => n < 0]]) {
    const bars = numbers.map((n, at) => (chosen(n) ? `M${at} ${HALF}h.8v${((-n / largest) * HALF).toFixed(2)}h-.8z` : ""));
    drawing.append(svg("path", { class: name, d: bars.join("") }));
  }
  sayAttribute(drawing, "aria-label", "vector.picture", { count: numbers.length });
  const reading = told("p", "vector.point", {}, { className: "reading" });
  drawing.addEventListener("pointermove", (event) => {
    const { left, width } = drawing.getBoundingClientRect();
    const at = Math.min(numbers.length - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * numbers.length)));
    reading.removeAttribute("data-t");
    reading.textContent = `[${at}] = ${numbers[at].toFixed(DECIMALS)}`;
  });
  return make("div", { className: "strip" }, drawing, reading);
}

export function vectorActions(numbers) {
  const text = JSON.stringify(numbers);
  const download = told("a", "vector.download", {}, { className: "button", download: "vector.json" });
  download.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const copied = make("span");
  copied.setAttribute("role", "status");
  const copy = button("vector.copy", async () => {
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    say(copied, done ? "vector.copied" : "vector.not-copied");
  });
  return make("p", { className: "buttons" }, download, copy, copied);
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}
