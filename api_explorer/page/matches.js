// What a search answered: the pictures, the likest first.
import { button, make, told } from "./dom.js";
import { scoreText, sizeText } from "./units.js";
import { languageNow, sayAttribute } from "./words.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// matches: as the API gives them. calibration: null where scores are not told in words. `like` is given the match that
// others like it are wanted of; `asked` is the key that was searched by, if one was.
export function matchList(matches, { calibration, like, asked }) {
  const pictured = matches.some(({ link }) => link);
  const isUnrelated = ({ similarity }) => calibration?.kind(similarity) === "unrelated";
  const listOf = (some) => {
    const items = some.map((match) => matchItem(match, { calibration, like, own: match.key === asked, pictured }));
    return make("ol", { className: pictured ? "matches" : "matches unpictured" }, ...items);
  };
  const alike = matches.filter((match) => !isUnrelated(match));
  const others = matches.filter(isUnrelated);
  const whole = make(
    "div",
    {},
    alike.length > 0 ? listOf(alike) : null,
    others.length > 0 ? told("h3", "search.unrelated", {}, { className: "unrelated-from-here" }) : null,
    others.length > 0 ? listOf(others) : null,
  );
  whole.addEventListener("keydown", (event) => moveAmong(whole, event));
  return whole;
}

function matchItem(match, { calibration, like, own, pictured }) {
  const { key, similarity, size, modified } = match;
  const name = key.split("/").at(-1) || key;
  const date = () => new Date(modified).toLocaleDateString(languageNow(), { dateStyle: "medium" });
  const more = button("search.more", () => like(match), { className: "more" });
  sayAttribute(more, "aria-label", "search.more-of", { name });
  more.disabled = own;
  return make(
    "li",
    { className: own ? "match own" : "match" },
    pictured ? thumbnail(match, name) : null,
    make(
      "div",
      { className: "told" },
      scoreLine(similarity, calibration),
      make("p", { className: "match-name", textContent: name, title: key }),
      make("p", { className: "match-key", textContent: key }),
      told("p", "search.facts", { size: sizeText(size), date }, { className: "match-facts" }),
    ),
    more,
  );
}

function scoreLine(similarity, calibration) {
  const kind = calibration?.kind(similarity) ?? "unknown";
  const score = make("strong", { textContent: scoreText(similarity) });
  const line = make("p", { className: "match-score" }, score);
  if (kind !== "unknown") {
    line.append(told("span", `kind.${kind}`, {}, { className: "chip" }));
    line.dataset.kind = kind;
  }
  return line;
}

// The whole picture opens in a window of its own, for as long as its link lives.
function thumbnail({ link }, name) {
  const image = make("img", { alt: name, loading: "lazy", decoding: "async", referrerPolicy: "no-referrer", src: link });
  const frame = make("a", { className: "thumbnail", href: link, target: "_blank", rel: "noopener noreferrer" }, image);
  image.addEventListener("error", () => frame.replaceChildren(told("span", "search.not-shown", { name })));
  return frame;
}

// Arrow keys go from picture to picture.
function moveAmong(place, event) {
  const step = STEPS[event.key];
  const all = [...place.querySelectorAll(".more:enabled")];
  const at = all.indexOf(event.target);
  if (step && at >= 0 && all[at + step]) {
    event.preventDefault();
    all[at + step].focus();
  }
}
