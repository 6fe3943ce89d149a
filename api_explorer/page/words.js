// The page's texts in people's language. What is said stays known, so that a switch says it again: elements name
// their text with data-t="key", and attributes theirs with data-t-aria-label="key" and the like.
import { TEXTS } from "./texts.js";

const NAMES = { en: "English", zh: "中文" };
const HTML_LANGUAGES = { en: "en", zh: "zh-Hans" };
const ATTRIBUTES = ["alt", "aria-label", "placeholder", "title"];
const spoken = new WeakMap(); // element: the values in its texts
const listeners = new Set();
let language = "en";

// The text of a key, with {name} replaced. A value may be a function, which is asked anew after a switch. Where a
// text has several forms ("key.one", "key.other"), the value `count` chooses.
export function t(key, values = {}) {
  const texts = TEXTS[language];
  const form = "count" in values ? `${key}.${new Intl.PluralRules(language).select(valueOf(values.count))}` : key;
  const text = texts[form] ?? texts[`${key}.other`] ?? texts[key];
  if (text === undefined) {
    throw new Error(`There is no text ${key} in ${language}.`);
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => shown(valueOf(values[name])));
}

export function hasText(key) {
  return key in TEXTS[language];
}

// Gives an element a text; gives the element.
export function say(element, key, values = {}) {
  element.dataset.t = key;
  spoken.set(element, values);
  element.textContent = t(key, values);
  return element;
}

// Gives an attribute of ATTRIBUTES a text, with the element's own values where none are given.
export function sayAttribute(element, attribute, key, values = spoken.get(element) ?? {}) {
  element.setAttribute(`data-t-${attribute}`, key);
  spoken.set(element, values);
  element.setAttribute(attribute, t(key, values));
  return element;
}

// Takes a text away for good.
export function hush(element) {
  delete element.dataset.t;
  element.replaceChildren();
}

export function languageNow() {
  return language;
}

// For what is not plain text (numbers in tables, documents): called after each switch.
export function onLanguage(listener) {
  listeners.add(listener);
}

// Chooses by ?lang=, then by what the browser prefers, and makes the switch.
export function startLanguage(place) {
  const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages];
  const known = wanted.map((name) => name?.split("-")[0].toLowerCase()).find((name) => Object.hasOwn(TEXTS, name));
  for (const name of Object.keys(TEXTS)) {
    const choice = Object.assign(document.createElement("button"), { type: "button", textContent: NAMES[name] });
    choice.lang = HTML_LANGUAGES[name];
    choice.addEventListener("click", () => {
      const address = new URL(location.href);
      address.searchParams.set("lang", name);
      history.replaceState(null, "", address);
      speak(name, place);
    });
    place.append(choice);
  }
  speak(known ?? "en", place);
}

function speak(name, place) {
  language = name;
  document.documentElement.lang = HTML_LANGUAGES[name];
  for (const choice of place.children) {
    choice.setAttribute("aria-pressed", choice.lang === HTML_LANGUAGES[name]);
  }
  for (const element of document.querySelectorAll("[data-t]")) {
    say(element, element.dataset.t, spoken.get(element));
  }
  for (const attribute of ATTRIBUTES) {
    for (const element of document.querySelectorAll(`[data-t-${attribute}]`)) {
      sayAttribute(element, attribute, element.getAttribute(`data-t-${attribute}`));
    }
  }
  listeners.forEach((listener) => listener());
}

function valueOf(value) {
  return typeof value === "function" ? value() : value;
}

// Whole numbers as the language groups them; other numbers are formatted by who knows their decimals.
function shown(value) {
  return Number.isInteger(value) ? value.toLocaleString(language) : String(value);
}
