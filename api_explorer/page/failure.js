// Why there is no answer: one message for one failure, in people's language, with the API's own words beneath.
import { make, told } from "./dom.js";
import { hasText } from "./words.js";

const LONGEST_DETAIL = 500;
const CODE_OF_THE_API = /^[A-Z]\w*$/; // the page's own keys begin with a small letter

export class Failure extends Error {
  // key: of the texts failure.*; detail: the API's message, which is English.
  constructor(key, values = {}, { detail = "", code = "", status = 0, requestId = "", retryAfter = null } = {}) {
    super(detail || key);
    Object.assign(this, { key, values, detail, code, status, requestId, retryAfter });
  }

  // Of an error as the API says it, or anything else that is none of its successes.
  static ofApi({ code, message, requestId, status, retryAfter }) {
    const said = { detail: textOnly(message), code: textOnly(code), requestId: textOnly(requestId) };
    const known = CODE_OF_THE_API.test(said.code) && hasText(`failure.${said.code}`);
    return new Failure(known ? said.code : "unexpected", { status: String(status) }, { ...said, status, retryAfter });
  }
}

function textOnly(value) {
  const text = typeof value === "string" ? value : "";
  return text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL)}…` : text;
}

// The failure as an element.
export function failureNote(error) {
  const failure = error instanceof Failure ? error : new Failure("page", { reason: error.message });
  const { key, values, detail, code, status, requestId } = failure;
  const origin = [code, status || "", requestId].filter(Boolean).join(" · ");
  return make(
    "div",
    { className: "failure" },
    told("p", `failure.${key}`, values, { className: "failure-title" }),
    detail ? make("p", { textContent: detail, lang: "en" }) : null,
    origin ? make("p", { textContent: origin, className: "origin" }) : null,
  );
}

// The same where nobody would hear of it else: screen readers say it at once.
export function failureAlert(error) {
  const note = failureNote(error);
  note.setAttribute("role", "alert");
  return note;
}

export function showFailure(place, error) {
  place.replaceChildren(failureNote(error));
}
