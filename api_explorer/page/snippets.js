// The files of examples/ with this deployment's URL, region and the chosen files in their places.
import { quoted } from "./curl.js";
import { byId } from "./dom.js";
import { hush, say } from "./words.js";

const URL_PLACE = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
const FILES_PLACE = '"cat.jpg", "other.jpg"';
const SHELL_FILES_PLACE = "'cat.jpg' 'other.jpg'";
const REGION_PLACE = "us-east-1";

// The examples are loaded when they are first looked at.
export function startSnippets({ authorization, region }, url) {
  const language = byId("language");
  const auth = authorization === "NONE" ? "open" : "signed";
  let examples = null;
  let files = [];

  function fillIn() {
    if (examples) {
      const names = files.length > 0 ? files : ["cat.jpg", "other.jpg"];
      byId("snippet").textContent = fill(examples[language.value][auth], { url, region, files: names });
      hush(byId("copied"));
    }
  }

  async function load() {
    const response = await fetch(new URL("./examples.json?v=@version@", import.meta.url));
    examples = await response.json();
    language.replaceChildren(...Object.keys(examples).map((name) => new Option(name)));
    fillIn();
  }

  byId("code").addEventListener("toggle", () => {
    if (!examples) {
      load().catch(() => say(byId("copied"), "failure.unreachable"));
    }
  });
  language.addEventListener("change", fillIn);
  byId("copy-snippet").addEventListener("click", copySnippet);
  return {
    // The examples read files: they are not offered for a URL.
    show(sources) {
      byId("code").hidden = sources.some((source) => source.url);
      files = sources.map((source) => source.name);
      fillIn();
    },
  };
}

// JSON's strings are literals in Python, Java and JavaScript too; the shell has its own.
export function fill(template, { url, region, files }) {
  const asLiterals = files.map((file) => JSON.stringify(file)).join(", ");
  const forShell = files.map(quoted).join(" ");
  const places = {
    [URL_PLACE]: url,
    [REGION_PLACE]: region,
    [FILES_PLACE]: asLiterals,
    [SHELL_FILES_PLACE]: forShell,
  };
  // All at once: what was put in is not looked at again, since a file may be called like a place.
  const any = new RegExp(Object.keys(places).map((place) => place.replaceAll(".", "\\.")).join("|"), "g");
  return template.replace(any, (place) => places[place]);
}

async function copySnippet() {
  try {
    await navigator.clipboard.writeText(byId("snippet").textContent);
    say(byId("copied"), "code.copied");
  } catch {
    say(byId("copied"), "code.not-copied");
  }
}
