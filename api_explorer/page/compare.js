// The two pictures, their similarity, and the same call in code.
import { showFailure, showOutcome } from "./outcome.js?v=@version@";
import { startSnippets } from "./snippets.js?v=@version@";

const byId = (id) => document.getElementById(id);

export function startCompare({ caller, description, examples }) {
  const pictures = [null, null];
  const { authorization, region } = description["x-deployment"];
  const snippets = startSnippets(examples, {
    auth: authorization === "NONE" ? "open" : "signed",
    url: caller.url,
    region,
  });

  const refresh = () => {
    const chosen = pictures.filter(Boolean);
    byId("send").disabled = chosen.length === 0;
    byId("empty").disabled = chosen.length === 0;
    byId("send").textContent = chosen.length === 1 ? "Get the vector" : "Compare";
    byId("outcome").replaceChildren();
    snippets.files = chosen.map((picture) => picture.name);
    snippets.show();
  };

  const slots = [...document.querySelectorAll(".slot")].map((slot, index) =>
    startSlot(slot, (file) => {
      if (pictures[index]) {
        URL.revokeObjectURL(pictures[index].preview);
      }
      pictures[index] = file && { name: file.name, file, preview: URL.createObjectURL(file) };
      refresh();
      return pictures[index];
    }),
  );

  byId("send").addEventListener("click", () => send(caller, pictures.filter(Boolean)));
  byId("empty").addEventListener("click", () => slots.forEach((slot) => slot.choose(null)));
  byId("examples").addEventListener("click", () => {
    const pair = exampleFiles(description);
    slots.forEach((slot, index) => slot.choose(pair[index]));
    byId("send").focus();
  });
  refresh();
  return { show: (shown) => (byId("compare").hidden = !shown) };
}

// One picture: chosen with the file input or dropped anywhere on the slot.
function startSlot(slot, onChoice) {
  const input = slot.querySelector("input");
  const preview = slot.querySelector(".preview");
  const hint = preview.textContent;
  const choose = (file) => {
    const picture = onChoice(file);
    if (!picture) {
      input.value = "";
      preview.replaceChildren(hint);
      return;
    }
    const image = new Image();
    image.alt = picture.name;
    image.src = picture.preview;
    const caption = document.createElement("span");
    caption.textContent = `${picture.name}, ${Math.ceil(file.size / 1024)} KiB`;
    preview.replaceChildren(image, caption);
  };
  input.addEventListener("change", () => choose(input.files[0] ?? null));
  slot.addEventListener("dragover", (event) => {
    event.preventDefault();
    slot.classList.add("over");
  });
  slot.addEventListener("dragleave", () => slot.classList.remove("over"));
  slot.addEventListener("drop", (event) => {
    event.preventDefault();
    slot.classList.remove("over");
    if (event.dataTransfer.files.length > 0) {
      choose(event.dataTransfer.files[0]);
    }
  });
  return { choose };
}

async function send(caller, chosen) {
  const outcome = byId("outcome");
  outcome.textContent = "Asking the API.";
  byId("send").disabled = true;
  try {
    const encoded = await Promise.all(chosen.map(({ file }) => base64(file)));
    const payload = encoded.length === 1 ? { img: encoded[0] } : { img_1: encoded[0], img_2: encoded[1] };
    showOutcome(outcome, await caller.call(payload));
  } catch (error) {
    showFailure(outcome, error);
  } finally {
    byId("send").disabled = false;
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Error(`${file.name} could not be read. Choose it again.`));
    reader.readAsDataURL(file);
  });
}

// The pair that the API's description sends as its example.
function exampleFiles(description) {
  const content = description.components.requestBodies.Images.content["application/json"];
  return Object.values(content.examples.similar.value).map((text, index) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new File([bytes], ["cat.jpg", "other.jpg"][index], { type: "image/jpeg" });
  });
}
