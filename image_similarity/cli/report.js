"use strict";
// What is ticked is kept; the others are counted, and listed for a shell, as they stand in the page at first.
const boxes = [...document.querySelectorAll("li input")];
const list = document.querySelector("pre");
const copy = document.querySelector(".copy");
// Where the browser keeps the ticks that differ from the proposals, of this very report.
const kept = `image-similarity report ${location.pathname}`;

const COPY = "Copy these lines";

function amount(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(Math.max(bytes, 1000) / 1e3).toFixed(0)} kB`;
}

function show() {
  const others = boxes.filter((box) => !box.checked);
  const bytes = others.reduce((sum, box) => sum + Number(box.dataset.bytes), 0);
  const count = others.length.toLocaleString("en");
  for (const place of document.querySelectorAll(".count")) place.textContent = count;
  for (const place of document.querySelectorAll(".bytes")) place.textContent = others.length ? amount(bytes) : "nothing";
  const names = others.map((box) => `  ${box.dataset.quoted}`).join(" \\\n");
  list.textContent = names ? `for file in \\\n${names}\n${list.dataset.move}` : "# Everything is kept.";
}

function inGroup(button) {
  return [...button.closest("section").querySelectorAll("input")];
}

function nameButton(button) {
  button.textContent = inGroup(button).every((box) => box.checked) ? "Keep as proposed" : "Keep all";
}

function recall() {
  try {
    const [report, changed] = JSON.parse(localStorage.getItem(kept)) ?? [];
    if (report !== document.body.dataset.report) return;
    for (const number of changed) boxes[number].checked = !boxes[number].defaultChecked;
  } catch (error) {
    console.info("This browser keeps no ticks of files:", error);
  }
}

function remember() {
  const changed = boxes.flatMap((box, number) => (box.checked === box.defaultChecked ? [] : [number]));
  try {
    localStorage.setItem(kept, JSON.stringify([document.body.dataset.report, changed]));
  } catch (error) {
    console.info("This browser keeps no ticks of files:", error);
  }
}

function changed(section) {
  const button = section.querySelector(".all");
  if (button) nameButton(button);
  show();
  remember();
  copy.textContent = COPY;
}

for (const box of boxes) box.addEventListener("change", () => changed(box.closest("section")));
recall();
for (const button of document.querySelectorAll(".all")) {
  // Where nothing is proposed, all are kept at first.
  button.hidden = inGroup(button).every((box) => box.defaultChecked);
  nameButton(button);
  button.addEventListener("click", () => {
    const boxesHere = inGroup(button);
    const all = !boxesHere.every((box) => box.checked);
    for (const box of boxesHere) box.checked = all || box.defaultChecked;
    changed(button.closest("section"));
  });
}
if (copy) {
  copy.textContent = COPY;
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
if (boxes.length) show();
