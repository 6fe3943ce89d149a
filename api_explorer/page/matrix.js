// The similarities of all pairs: a table with thumbnails where the pictures are few, a drawing where they are many.
import { make } from "./dom.js";
import { ARROWS, heatMap, heatOf } from "./heat.js";
import { scoreText } from "./units.js";
import { sayAttribute } from "./words.js";

const MOST_IN_A_TABLE = 24;
const MOST_WITH_NUMBERS = 14;

// order: of the rows and columns. onPair is called with the indices of a pair that is pointed at.
export function matrixOf(pictures, matrix, order, { calibration, onPair }) {
  if (order.length > MOST_IN_A_TABLE) {
    return heatMap(pictures, matrix, order, { calibration, onPair });
  }
  const table = make("table", { className: order.length > MOST_WITH_NUMBERS ? "matrix dense" : "matrix" });
  table.append(make("thead", {}, make("tr", {}, make("td"), ...order.map((at) => heading(pictures[at], "col")))));
  const rows = order.map((row) => {
    const cells = order.map((column) => cell(matrix[row * pictures.length + column], calibration, [row, column]));
    return make("tr", {}, heading(pictures[row], "row"), ...cells);
  });
  table.append(make("tbody", {}, ...rows));
  for (const event of ["pointerover", "click"]) {
    table.addEventListener(event, ({ target }) => {
      const pair = target.closest("[data-pair]")?.dataset.pair.split(" ").map(Number);
      if (pair && pair[0] !== pair[1]) {
        onPair(...pair);
      }
    });
  }
  goByKeys(table, order.length);
  const area = make("div", { className: "scroll" }, table);
  area.setAttribute("role", "region");
  return sayAttribute(area, "aria-label", "matrix.keys", { count: order.length });
}

// One pair can be reached by Tab, and from it the others by the arrow keys.
function goByKeys(table, count) {
  table.setAttribute("role", "grid");
  const cells = [...table.querySelectorAll("[data-pair]")];
  cells.forEach((one) => (one.tabIndex = -1));
  cells[1].tabIndex = 0; // the first one is a picture with itself
  table.addEventListener("focusin", ({ target }) => {
    cells.forEach((one) => (one.tabIndex = one === target ? 0 : -1));
    target.click();
  });
  table.addEventListener("keydown", (event) => {
    const at = cells.indexOf(event.target);
    const [down, right] = ARROWS[event.key] ?? [0, 0];
    const [row, column] = [Math.floor(at / count) + down, (at % count) + right];
    if (at >= 0 && event.key in ARROWS) {
      event.preventDefault();
      if ([row, column].every((index) => index >= 0 && index < count)) {
        cells[row * count + column].focus();
      }
    }
  });
}

function heading({ path, shown }, scope) {
  return make("th", { scope }, make("img", { src: shown, alt: path, title: path }));
}

function cell(score, calibration, pair) {
  const made = make("td", {}, make("span", { textContent: scoreText(score) }));
  made.dataset.pair = pair.join(" ");
  made.style.setProperty("--heat", heatOf(score, calibration));
  return made;
}
