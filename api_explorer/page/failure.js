// Why there is no answer: one message for one failure, in people's language, with the API's own words beneath.
import { make, told } from "./dom.js";
import { hasText } from "./words.js";

export class Failure extends Error {
  // key: of the texts failure.*; detail: the API's message, which is English.
  constructor(key, values = {}, { detail = "", code = "", status = 0, requestId = "", retryAfter = null } = {}) {
    super(detail || key);
    Object.assign(this, { key, values, detail, code, status, requestId, retryAfter });
  }

  static ofApi({ code, message, requestId, status, retryAfter }) {
    const key = hasText(`failure.${code}`) ? code : "unexpected";
    return new Failure(key, { status }, { detail: message, code, status, requestId, retryAfter });
  }
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

export function showFailure(place, error) {
  place.replaceChildren(failureNote(error));
}
