// Pictures that are dropped anywhere on the page or pasted into it.

const ADDRESS = /^(?:https?|s3):\/\/\S+$/;

// One or two pictures are compared; more of them, a folder, and what is dropped on the folder's section make a matrix.
export function startArrivals({ compare, folder, isOpen }) {
  const page = document.documentElement;
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // a file that is dropped beside a slot would take the page's place
    markSlot(event.target);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? markSlot(null));
  document.addEventListener("drop", (event) => {
    if (event.defaultPrevented) {
      return; // a section took it
    }
    event.preventDefault();
    markSlot(null);
    if (isOpen()) {
      drop(event, compare, folder);
    }
  });
  document.addEventListener("paste", (event) => {
    if (isOpen()) {
      paste(event, compare);
    }
  });

  function markSlot(target) {
    page.querySelectorAll(".over").forEach((slot) => slot.classList.remove("over"));
    target?.closest?.(".slot")?.classList.add("over");
  }
}

function drop({ target, dataTransfer }, compare, folder) {
  const entries = [...dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...dataTransfer.files];
  if (entries.some((entry) => entry.isDirectory)) {
    folder.takeEntries(entries);
  } else if (files.length > 0) {
    (target.closest("#folder") ? folder : compare).take(files, compare.slotOf(target));
  } else if (ADDRESS.test(dataTransfer.getData("text/uri-list"))) {
    compare.takeOne(dataTransfer.getData("text/uri-list"), compare.slotOf(target));
  }
}

function paste(event, compare) {
  const { target, clipboardData } = event;
  const slot = compare.slotOf(target);
  if (target.matches?.("input, textarea, select") && !slot) {
    return; // text for somebody else
  }
  const files = [...clipboardData.files];
  const text = clipboardData.getData("text/plain").trim();
  if (files.length > 0) {
    event.preventDefault();
    compare.take(files, slot);
  } else if (ADDRESS.test(text) && !target.matches?.("input")) {
    event.preventDefault();
    compare.takeOne(text, slot);
  }
}
