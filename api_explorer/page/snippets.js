// The files of examples/ with this deployment's URL, region and the chosen files in their places.
import { quoted } from "./curl.js";
import { byId } from "./dom.js";
import { hush, say } from "./words.js";

const URL_PLACE = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";

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
  return template
    .replaceAll(URL_PLACE, () => url)
    .replaceAll("us-east-1", () => region)
    .replace('"cat.jpg", "other.jpg"', () => asLiterals)
    .replace("'cat.jpg' 'other.jpg'", () => forShell);
}

async function copySnippet() {
  try {
    await navigator.clipboard.writeText(byId("snippet").textContent);
    say(byId("copied"), "code.copied");
  } catch {
    say(byId("copied"), "code.not-copied");
  }
}
