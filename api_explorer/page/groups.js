// Groups of pictures that are alike, with the one of most pixels marked.
import { make, told } from "./dom.js";
import { scoreText, sizeText } from "./units.js";

export function groupList(groups, pictures, threshold) {
  const [key, values] = groupsInWords(groups, pictures, threshold);
  if (groups.length === 0) {
    return told("p", key, values, { className: "nothing" });
  }
  const title = told("h3", key, values);
  return make("div", {}, title, make("ol", { className: "group-list" }, ...groups.map((group) => card(group, pictures))));
}

// The text that tells how many there are, and its values.
export function groupsInWords(groups, pictures, threshold) {
  if (groups.length === 0) {
    return ["groups.none", { threshold: threshold.toFixed(2) }];
  }
  const inGroups = groups.reduce((sum, { members }) => sum + members.length, 0);
  return ["groups.title", { count: groups.length, pictures: inGroups, all: pictures.length }];
}

function card({ members, lowest }, pictures) {
  const shown = members.map((member) => pictures[member]);
  const largest = largestOf(shown);
  const items = shown.map((picture) => figure(picture, picture === largest));
  const lead = told("p", "groups.card", { count: members.length, lowest: scoreText(lowest) }, { className: "quiet" });
  return make("li", {}, lead, make("div", { className: "thumbnails" }, ...items));
}

// None where all have as many pixels and bytes.
function largestOf(pictures) {
  const size = ({ width, height, file }) => width * height + file.size / 2 ** 40;
  const [first, second] = [...pictures].sort((a, b) => size(b) - size(a));
  return size(first) > size(second) ? first : null;
}

function figure(picture, largest) {
  const { path, width, height, file, shown } = picture;
  const pixels = width ? `${width} × ${height}` : "";
  const caption = make(
    "figcaption",
    {},
    make("span", { className: "path", textContent: path, title: path }),
    make("span", { className: "facts", textContent: pixels }),
    make("span", { className: "facts", textContent: sizeText(file.size) }),
    largest ? told("strong", "groups.largest") : null,
  );
  return make("figure", {}, make("img", { src: shown, alt: "", loading: "lazy" }), caption);
}
