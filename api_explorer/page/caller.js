// One way to call the API: sign if there are credentials, measure, and read the answer.
import { exchange } from "./exchange.js";
import { Failure } from "./failure.js";

const MAX_BODY_BYTES = 5 * 1024 * 1024;
const ENVELOPE_BYTES = 64; // what a body has beside the base64 of its pictures
const LONGEST_WAIT = 30; // seconds that a Retry-After is believed
export const FORBIDDEN = 403;
const HEADERS = { "Content-Type": "application/json" };

// The bytes that all pictures of one request may have together.
export const MAX_PICTURE_BYTES = Math.floor(((MAX_BODY_BYTES - ENVELOPE_BYTES) / 4) * 3);

// base: the URL of the stage. `signer` is null, or what signing.js makes; `heard` is told the model of each answer.
export function makeCaller(base) {
  const caller = { base, signer: null, heard: () => {} };
  // Both give {answer, milliseconds, model, timing, requestId}; they throw a Failure, or an AbortError. `taking`, of
  // answers.js, throws where the answer is none.
  caller.post = (path, payload, taking, signal) => {
    const body = JSON.stringify(payload);
    if (body.length > MAX_BODY_BYTES) {
      throw new Failure("too-large", { size: (body.length / 1024 / 1024).toFixed(1) });
    }
    return call(caller, { method: "POST", url: base + path, headers: HEADERS, body }, taking, signal);
  };
  caller.get = (path, taking, signal) => call(caller, { method: "GET", url: base + path, headers: {} }, taking, signal);
  return caller;
}

async function call({ signer, heard }, plain, taking, signal) {
  const request = signer ? await signer.sign(plain) : plain;
  const start = performance.now();
  const { response, answer } = await exchange(request, signal);
  const milliseconds = performance.now() - start;
  if (response.status === FORBIDDEN && signer) {
    throw signer.refused(answer ?? {}, response.headers);
  }
  const taken = taking(succeeded(response, answer));
  const model = response.headers.get("X-Model");
  heard(model);
  return { answer: taken, milliseconds, model, timing: timings(response), requestId: response.headers.get("X-Request-Id") };
}

// The answer, where it is the API's and one of success.
function succeeded(response, answer) {
  if (answer === null) {
    throw notJson(response);
  }
  if (response.ok) {
    return answer;
  }
  throw Failure.ofApi({ ...answer, status: response.status, retryAfter: secondsToWait(response) });
}

// What answers in the place of an API: its status, and how long a busy one wants to be left alone.
export function notJson(response) {
  const { status } = response;
  const kind = (response.headers.get("Content-Type") ?? "?").split(";")[0];
  return new Failure("no-json", { status: String(status), kind }, { status, retryAfter: secondsToWait(response) });
}

// Null where the header is absent, or anything but a number of seconds.
function secondsToWait(response) {
  const text = response.headers.get("Retry-After") ?? "";
  return /^\d+$/.test(text) ? Math.min(Number(text), LONGEST_WAIT) : null;
}

// "fetch;dur=0.1, decode;dur=4.2" as [["fetch", 0.1], ["decode", 4.2]].
function timings(response) {
  const header = response.headers.get("Server-Timing") ?? "";
  return [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, duration]) => [name, Number(duration)]);
}
