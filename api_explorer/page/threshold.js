// How alike is alike enough: by kind, where the model is calibrated, or a number.
import { make, told } from "./dom.js";
import { sayAttribute } from "./words.js";

const KINDS_OF_FIND = { copies: "find.copies", edits: "find.edits", scenes: "find.scenes" };
const CAUTIOUS = 0.95; // for models without a calibration, as the command line has it
const OWN = "own";

export function thresholdChoice({ known }, onChange) {
  const number = make("input", { type: "number", min: 0.5, max: 1, step: 0.01, autocomplete: "off" });
  number.value = (known?.copies ?? CAUTIOUS).toFixed(2);
  sayAttribute(number, "aria-label", "find.number");
  const select = make("select");
  const kinds = known ? Object.keys(KINDS_OF_FIND) : [];
  for (const kind of [...kinds, OWN]) {
    select.append(told("option", kind === OWN ? "find.own" : KINDS_OF_FIND[kind], {}, { value: kind }));
  }
  select.addEventListener("change", () => {
    if (select.value === OWN) {
      number.focus();
    } else {
      number.value = known[select.value].toFixed(2);
      onChange(value());
    }
  });
  number.addEventListener("change", () => {
    select.value = kinds.find((kind) => known[kind].toFixed(2) === value().toFixed(2)) ?? OWN;
    onChange(value());
  });

  // A number that is none counts as the cautious one.
  function value() {
    const given = Number(number.value);
    return number.value !== "" && given >= 0 && given <= 1 ? given : CAUTIOUS;
  }

  const label = make("label", {}, told("span", "find.title"), " ", select);
  return { element: make("div", { className: "threshold" }, label, make("span", { textContent: "≥ " }), number), value };
}
