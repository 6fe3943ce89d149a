"use strict";
// What is ticked is kept; the others are counted, and listed for a shell, as they stand in the page at first.
const boxes = [...document.querySelectorAll("li input")];
const list = document.querySelector("pre");
const copy = document.querySelector("button");

function amount(bytes) {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(Math.max(bytes, 1000) / 1e3).toFixed(0)} kB`;
}

function show() {
  const others = boxes.filter((box) => !box.checked);
  const bytes = others.reduce((sum, box) => sum + Number(box.dataset.bytes), 0);
  const count = others.length.toLocaleString("en");
  for (const place of document.querySelectorAll(".count")) place.textContent = count;
  for (const place of document.querySelectorAll(".bytes")) place.textContent = others.length ? amount(bytes) : "nothing";
  const names = others.map((box) => `  ${box.dataset.quoted}`).join(" \\\n");
  list.textContent = names
    ? `mkdir -p ~/duplicates\nfor file in \\\n${names}\ndo mv -n -- "$file" ~/duplicates/; done`
    : "# Everything is kept.";
}

for (const box of boxes) box.addEventListener("change", show);
if (copy) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(list.textContent);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(list);
      copy.textContent = "Selected: copy it with Ctrl-C";
    }
  });
}
if (boxes.length) show(); // the browser may have kept ticks of the last visit
