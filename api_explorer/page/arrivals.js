// Pictures that are dropped anywhere on the page or pasted into it.

const ADDRESS = /^(?:https?|s3):\/\/\S+$/;

// The first address of what was dropped or pasted; "" where there is none. The lines of a list may be comments
// (RFC 2483, section 5).
export function addressIn(transfer) {
  const listed = transfer.getData("text/uri-list").split(/\r?\n/);
  return [...listed, transfer.getData("text/plain").trim()].find((line) => ADDRESS.test(line)) ?? "";
}

// One or two pictures are compared; more of them, a folder, and what is dropped on the folder's section make a matrix.
// `onClosed` is called for what is dropped while isOpen() is false, and not taken.
export function startArrivals({ compare, folder, isOpen, onClosed }) {
  const page = document.documentElement;
  document.addEventListener("dragover", (event) => {
    event.preventDefault(); // a file that is dropped beside a slot would take the page's place
    markSlot(event.target);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget ?? markSlot(null));
  document.addEventListener("drop", (event) => {
    markSlot(null);
    if (event.defaultPrevented) {
      return; // a section took it
    }
    event.preventDefault();
    if (isOpen()) {
      drop(event, compare, folder);
    } else {
      onClosed();
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
  } else if (addressIn(dataTransfer)) {
    compare.takeOne(addressIn(dataTransfer), compare.slotOf(target));
  }
}

function paste(event, compare) {
  const { target, clipboardData } = event;
  const slot = compare.slotOf(target);
  if (target.matches?.("input, textarea, select") && !slot) {
    return; // text for somebody else
  }
  const files = [...clipboardData.files];
  const address = addressIn(clipboardData);
  if (files.length > 0) {
    event.preventDefault();
    compare.take(files, slot);
  } else if (address && !target.matches?.("input")) {
    event.preventDefault();
    compare.takeOne(address, slot);
  }
}
