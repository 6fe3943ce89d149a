// One way to call the API: sign if there are credentials, measure, and read the answer.
import { Failure } from "./failure.js";

const MAX_BODY_BYTES = 5 * 1024 * 1024;
const ENVELOPE_BYTES = 64; // what a body has beside the base64 of its pictures
export const FORBIDDEN = 403;
const HEADERS = { "Content-Type": "application/json" };

// The bytes that all pictures of one request may have together.
export const MAX_PICTURE_BYTES = Math.floor(((MAX_BODY_BYTES - ENVELOPE_BYTES) / 4) * 3);

// base: the URL of the stage. `signer` is null, or what signing.js makes; `heard` is told the model of each answer.
export function makeCaller(base) {
  const caller = { base, signer: null, heard: () => {} };
  // Both give {answer, milliseconds, model, timing, requestId}; they throw a Failure, or an AbortError.
  caller.post = (path, payload, signal) => {
    const body = JSON.stringify(payload);
    if (body.length > MAX_BODY_BYTES) {
      throw new Failure("too-large", { size: (body.length / 1024 / 1024).toFixed(1) });
    }
    return call(caller, { method: "POST", url: base + path, headers: HEADERS, body }, signal);
  };
  caller.get = (path, signal) => call(caller, { method: "GET", url: base + path, headers: {} }, signal);
  return caller;
}

async function call({ signer, heard }, plain, signal) {
  const request = signer ? await signer.sign(plain) : plain;
  const start = performance.now();
  const response = await fetch(request.url, { ...request, signal }).catch((error) => {
    throw error.name === "AbortError" ? error : new Failure("unreachable");
  });
  if (response.status === FORBIDDEN && signer) {
    throw signer.refused(await response.json().catch(() => ({})), response.headers);
  }
  const answer = await read(response);
  const model = response.headers.get("X-Model");
  heard(model);
  return {
    answer,
    milliseconds: performance.now() - start,
    model,
    timing: timings(response),
    requestId: response.headers.get("X-Request-Id"),
  };
}

async function read(response) {
  const answer = await response.json().catch((error) => {
    if (error.name === "AbortError") {
      throw error;
    }
    return { code: "NoJson", message: "" };
  });
  if (response.ok && answer.code !== "NoJson") {
    return answer;
  }
  const { code, message, requestId } = answer;
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  throw Failure.ofApi({ code, message, requestId, status: response.status, retryAfter });
}

// "fetch;dur=0.1, decode;dur=4.2" as [["fetch", 0.1], ["decode", 4.2]].
function timings(response) {
  const header = response.headers.get("Server-Timing") ?? "";
  return [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, duration]) => [name, Number(duration)]);
}
