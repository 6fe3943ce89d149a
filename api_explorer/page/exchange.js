// One request and what it is answered with, bounded in time and bytes, and told apart from what is no answer.
import { Failure } from "./failure.js";
import { SECOND } from "./units.js";

const PATIENCE_SECONDS = 90; // API Gateway gives up after 29, and 5 MB have to get there before
const MAX_ANSWER_BYTES = 4 * 1024 * 1024; // 64 vectors have a tenth of it

// Gives {response, answer}: `answer` is null where the body is no JSON object. Throws a Failure where there is no
// answer, or an AbortError. The API redirects nobody: what does is not followed, since pictures and signature would go
// along.
export async function exchange(request, signal) {
  const patience = patienceWith(signal);
  try {
    const response = await fetch(request.url, { ...request, redirect: "manual", signal: patience.signal });
    if (response.type === "opaqueredirect") {
      throw new Failure("redirected");
    }
    const text = await textOf(response).catch((error) => {
      throw isTold(error) ? error : new Failure("broken-off", { status: response.status });
    });
    return { response, answer: objectIn(text) };
  } catch (error) {
    throw isTold(error) ? error : new Failure("unreachable");
  } finally {
    patience.end();
  }
}

function isTold(error) {
  return error instanceof Failure || error.name === "AbortError";
}

// A signal that ends with another one (or none), or when there was time enough.
function patienceWith(signal) {
  const controller = new AbortController();
  const end = () => controller.abort(signal.reason);
  const tooLate = () => controller.abort(new Failure("no-answer", { seconds: PATIENCE_SECONDS }));
  const timer = setTimeout(tooLate, PATIENCE_SECONDS * SECOND);
  signal?.addEventListener("abort", end);
  if (signal?.aborted) {
    end();
  }
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    },
  };
}

async function textOf(response) {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = reader ? await reader.read() : { done: true };
    if (done) {
      return text + decoder.decode();
    }
    bytes += value.length;
    if (bytes > MAX_ANSWER_BYTES) {
      reader.cancel();
      throw new Failure("too-long", { limit: MAX_ANSWER_BYTES / 1024 / 1024 });
    }
    text += decoder.decode(value, { stream: true });
  }
}

function objectIn(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
