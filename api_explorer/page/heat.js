// A matrix as a drawing: a point for each pair, to be read with the pointer or the arrow keys.
import { make } from "./dom.js";
import { sayAttribute } from "./words.js";

// Steps by row and column.
export const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// The colour's strength, 0 to 1: squared, so that what is unrelated stays pale.
export function heatOf(score, calibration) {
  return calibration.place(score) ** 2;
}

export function heatMap(pictures, matrix, order, { calibration, onPair }) {
  const count = order.length;
  const canvas = make("canvas", { width: count, height: count, tabIndex: 0 });
  canvas.setAttribute("role", "application");
  sayAttribute(canvas, "aria-label", "matrix.keys", { count });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const draw = () => paint(canvas, matrix, order, calibration);
  const redraw = () => (canvas.isConnected ? draw() : dark.removeEventListener("change", redraw));
  dark.addEventListener("change", redraw);
  draw();

  let at = [1, 0];
  const point = (row, column) => {
    at = [row, column].map((index) => Math.min(count - 1, Math.max(0, index)));
    onPair(order[at[0]], order[at[1]]);
  };
  for (const name of ["pointermove", "pointerdown"]) {
    canvas.addEventListener(name, (event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const part = [(event.clientY - top) / height, (event.clientX - left) / width];
      point(...part.map((share) => Math.floor(share * count)));
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const step = ARROWS[event.key];
    if (step) {
      event.preventDefault();
      point(at[0] + step[0], at[1] + step[1]);
    }
  });
  return canvas;
}

function paint(canvas, matrix, order, calibration) {
  const style = getComputedStyle(document.documentElement);
  const [cold, hot] = ["--panel", "--accent"].map((name) => channels(style.getPropertyValue(name).trim()));
  const context = canvas.getContext("2d");
  const image = context.createImageData(order.length, order.length);
  order.forEach((row, y) => {
    order.forEach((column, x) => {
      const heat = heatOf(matrix[row * order.length + column], calibration);
      const start = 4 * (y * order.length + x);
      cold.forEach((from, channel) => (image.data[start + channel] = from + heat * (hot[channel] - from)));
      image.data[start + 3] = 255;
    });
  });
  context.putImageData(image, 0, 0);
}

// "#abc" or "#aabbcc" as [red, green, blue].
function channels(colour) {
  const digits = colour.slice(1);
  const size = digits.length / 3;
  return [0, 1, 2].map((at) => parseInt(digits.slice(at * size, (at + 1) * size).repeat(3 - size), 16));
}
