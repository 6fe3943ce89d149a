// The two pictures, their similarity, and the same call in code.
import { checkSizes } from "./caller.js?v=@version@";
import { showFailure, showOutcome } from "./outcome.js?v=@version@";
import { startSnippets } from "./snippets.js?v=@version@";

const byId = (id) => document.getElementById(id);

export function startCompare({ caller, description, examples }) {
  const pictures = [null, null];
  let underWay = null; // the call whose answer is for the pictures that are shown
  const { authorization, region } = description["x-deployment"];
  const snippets = startSnippets(examples, {
    auth: authorization === "NONE" ? "open" : "signed",
    url: caller.url,
    region,
  });

  const refresh = () => {
    const chosen = pictures.filter(Boolean);
    underWay?.abort();
    setUnderWay(null);
    byId("send").disabled = chosen.length === 0;
    byId("empty").disabled = chosen.length === 0;
    byId("send").textContent = chosen.length === 1 ? "Get the vector" : "Compare";
    byId("outcome").replaceChildren();
    showWhatIsTooLarge(chosen);
    snippets.files = chosen.map((picture) => picture.name);
    snippets.show();
  };

  const slots = [...document.querySelectorAll(".slot")].map((slot, index) =>
    startSlot(slot, (file) => {
      if (pictures[index]?.preview) {
        URL.revokeObjectURL(pictures[index].preview);
      }
      // A file that can't be sent is not read, for a preview neither.
      pictures[index] = file && { name: file.name, file, preview: fits([file]) && URL.createObjectURL(file) };
      refresh();
      return pictures[index];
    }),
  );

  // The button is not disabled meanwhile: that would take the focus away from who pressed it.
  const setUnderWay = (call) => {
    underWay = call;
    byId("send").setAttribute("aria-disabled", call !== null);
  };

  const send = async () => {
    if (underWay) {
      return;
    }
    const mine = new AbortController();
    setUnderWay(mine);
    byId("outcome").textContent = "Asking the API.";
    const files = pictures.filter(Boolean).map(({ file }) => file);
    // Only while `mine` is the call under way are the pictures still those that it is about.
    const show = await ask(caller, files, mine.signal);
    if (underWay === mine) {
      setUnderWay(null);
      show(byId("outcome"));
    }
  };

  byId("send").addEventListener("click", send);
  byId("empty").addEventListener("click", () => {
    slots.forEach((slot) => slot.choose(null));
    byId("file-1").focus();
  });
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
    nameIn(input, file);
    const caption = document.createElement("span");
    caption.textContent = `${picture.name}, ${Math.ceil(file.size / 1024)} KiB`;
    if (!picture.preview) {
      preview.replaceChildren(caption);
      return;
    }
    const image = new Image();
    image.alt = picture.name;
    image.src = picture.preview;
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

// Lets the input show the name of a file that did not come through it.
function nameIn(input, file) {
  if (input.files[0] !== file) {
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
  }
}

function fits(files) {
  try {
    checkSizes(files);
    return true;
  } catch {
    return false;
  }
}

function showWhatIsTooLarge(chosen) {
  try {
    checkSizes(chosen.map(({ file }) => file));
  } catch (error) {
    showFailure(byId("outcome"), error);
  }
}

// Gives a function that shows the answer, or why there is none.
async function ask(caller, files, signal) {
  try {
    checkSizes(files);
    const encoded = await Promise.all(files.map(base64));
    const payload = encoded.length === 1 ? { img: encoded[0] } : { img_1: encoded[0], img_2: encoded[1] };
    const answered = await caller.call(payload, signal);
    return (place) => showOutcome(place, answered);
  } catch (error) {
    return (place) => showFailure(place, error);
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1] ?? "");
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
