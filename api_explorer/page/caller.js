// One way to call the API: sign if there are credentials, measure, and read the answer.

const MAX_BODY_BYTES = 5 * 1024 * 1024;
const FORBIDDEN = 403;
const HEADERS = { "Content-Type": "application/json" };

export function makeCaller(url) {
  return { url, signer: null, call };
}

// Gives {answer, milliseconds, model, timing}; throws an Error whose message says what to do.
async function call(payload) {
  const body = JSON.stringify(payload);
  if (body.length > MAX_BODY_BYTES) {
    throw new Error(
      `The pictures need ${(body.length / 1024 / 1024).toFixed(1)} MiB in base64 and a request may have 5 MiB. ` +
        "Choose smaller pictures, or put them on the web and send their URLs.",
    );
  }
  const plain = { method: "POST", url: this.url, headers: HEADERS, body };
  const request = this.signer ? await this.signer.sign(plain) : plain;
  const start = performance.now();
  const response = await fetch(request.url, request).catch(() => {
    throw new Error("The API could not be reached. Check your connection and try again.");
  });
  if (response.status === FORBIDDEN) {
    this.signer?.refused();
  }
  const answer = await read(response);
  const milliseconds = performance.now() - start;
  return { answer, milliseconds, model: response.headers.get("X-Model"), timing: timings(response) };
}

async function read(response) {
  const answer = await response.json().catch(() => ({ message: "The answer is not JSON." }));
  if (response.ok) {
    return answer;
  }
  const id = answer.requestId ? ` Request id: ${answer.requestId}.` : "";
  throw new Error(`${answer.code ?? "Error"} (${response.status}): ${answer.message}${id}`);
}

// "fetch;dur=0.1, decode;dur=4.2" as [["fetch", 0.1], ["decode", 4.2]].
function timings(response) {
  const header = response.headers.get("Server-Timing") ?? "";
  return [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, duration]) => [name, Number(duration)]);
}
