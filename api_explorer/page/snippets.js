import { quoted } from "./curl.js?v=@version@";

// The files of examples/ with this deployment's URL, region and the chosen files in their places.

const URL_PLACE = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity";
const byId = (id) => document.getElementById(id);

export function startSnippets(examples, { auth, url, region }) {
  const language = byId("language");
  language.replaceChildren(...Object.keys(examples).map((name) => new Option(name)));
  const snippets = {
    files: [],
    show() {
      const files = this.files.length > 0 ? this.files : ["cat.jpg", "other.jpg"];
      byId("snippet").textContent = fill(examples[language.value][auth], { url, region, files });
      byId("copied").textContent = "";
    },
  };
  language.addEventListener("change", () => snippets.show());
  byId("copy").addEventListener("click", copy);
  return snippets;
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

async function copy() {
  try {
    await navigator.clipboard.writeText(byId("snippet").textContent);
    byId("copied").textContent = "Copied.";
  } catch {
    byId("copied").textContent = "The browser did not allow it: select the text and copy it by hand.";
  }
}
