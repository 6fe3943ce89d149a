// The pair of the matrix that is pointed at: both pictures, their score, and a way into the comparison.
import { button, byId, make, told } from "./dom.js";
import { scoreText } from "./units.js";

export function pairPanel(pictures, matrix, calibration, compare) {
  const element = make("div", { className: "pair" });
  element.setAttribute("aria-live", "polite");
  let pair = "";

  function show(first, second) {
    if (pair === `${first} ${second}`) {
      return;
    }
    pair = `${first} ${second}`;
    const both = [pictures[first], pictures[second]];
    const score = matrix[first * pictures.length + second];
    const kind = first === second ? "same" : calibration.kind(score);
    const number = make("p", { className: "number", textContent: scoreText(score) });
    number.dataset.kind = kind;
    element.replaceChildren(
      make("div", { className: "pair-pictures" }, ...both.map(pictured)),
      number,
      told("p", `kind.${kind}`, {}, { className: "verdict" }),
      button("pair.open", () => open(both)),
    );
  }

  function open(both) {
    compare().take(both.map(({ file }) => file));
    byId("compare").scrollIntoView({ block: "start" });
    byId("send").focus({ preventScroll: true });
  }

  function clear() {
    pair = "";
    element.replaceChildren(told("p", "pair.hint", {}, { className: "quiet" }));
  }

  clear();
  return { element, show, clear };
}

function pictured({ path, shown }) {
  const name = make("span", { className: "path", textContent: path, title: path });
  return make("figure", {}, make("img", { src: shown, alt: "" }), make("figcaption", {}, name));
}
