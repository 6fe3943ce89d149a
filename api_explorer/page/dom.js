// Elements by id, and new ones. Texts of people's language come by say() of words.js.
import { say } from "./words.js";

export const byId = (id) => document.getElementById(id);

// make("p", { className: "quiet" }, child, "text", ...): properties, then children; null children are left out.
export function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// make() with a text of the language: told("p", "compare.took", { seconds: 2 }, { className: "quiet" }).
export function told(name, key, values = {}, properties = {}) {
  return say(make(name, properties), key, values);
}

// A button in the language; `press` is called for each click.
export function button(key, press, properties = {}) {
  const made = told("button", key, {}, { type: "button", ...properties });
  made.addEventListener("click", press);
  return made;
}
