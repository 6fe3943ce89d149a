// What a folder holds: groups of pictures that are alike, the matrix of all, and what failed.
import { button, make, told } from "./dom.js";
import { groupsOf, orderOf, similarities } from "./grouping.js";
import { groupList, groupsInWords } from "./groups.js";
import { matrixOf } from "./matrix.js";
import { pairPanel } from "./pair.js";
import { failuresOf, changesOf } from "./remarks.js";
import { thresholdChoice } from "./threshold.js";

// Elements for the pictures of a run that have a vector; what they show is announced by a text and its values.
export async function makeResults({ pictures, model }, { calibration, compare, announce }) {
  const used = pictures.filter(({ vector }) => vector);
  const remarks = [changesOf(used), failuresOf(pictures)].filter(Boolean);
  if (used.length < 2) {
    announce(used.length === 1 ? "folder.only-one" : "folder.failed", { count: pictures.length });
    return [...(used.length === 1 ? [told("p", "folder.only-one")] : []), ...remarks];
  }
  const matrix = await similarities(used.map(({ vector }) => vector), nextTask);
  const count = used.length;
  const groups = make("div", { className: "groups" });
  const chart = make("div", { className: "chart" });
  const pair = pairPanel(used, matrix, calibration, compare);
  let shown = { threshold: 0, groups: [] };

  function regroup(threshold) {
    const found = groupsOf(matrix, count, threshold);
    shown = { threshold, groups: found };
    groups.replaceChildren(groupList(found, used, threshold));
    announce(...groupsInWords(found, used, threshold));
    pair.clear();
    chart.replaceChildren(matrixOf(used, matrix, orderOf(matrix, count, found), { calibration, onPair: pair.show }));
  }

  const choice = thresholdChoice(calibration, regroup);
  const save = button("folder.download", () => download(used, model, shown));
  regroup(choice.value());
  return [
    ...remarks,
    make("div", { className: "controls" }, choice.element, save),
    groups,
    told("h3", "matrix.title"),
    told("p", "matrix.lead", {}, { className: "quiet" }),
    make("div", { className: "matrix-area" }, chart, pair.element),
  ];
}

function download(used, model, { threshold, groups }) {
  const content = {
    model,
    threshold,
    pictures: used.length,
    groups: groups.map(({ members, lowest }) => ({
      lowest: Number(lowest.toFixed(6)),
      pictures: members.map((member) => used[member].path),
    })),
  };
  const link = make("a", { download: "groups.json" });
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  link.click();
  URL.revokeObjectURL(link.href);
}

function nextTask() {
  return new Promise((resolve) => setTimeout(resolve));
}
