// One way to call the API: sign if there are credentials, measure, and read the answer.

const MAX_BODY_BYTES = 5 * 1024 * 1024;
const ENVELOPE_BYTES = 64; // what a body has beside the base64 of its pictures
const FORBIDDEN = 403;
const HEADERS = { "Content-Type": "application/json" };

export function makeCaller(url) {
  return { url, signer: null, call };
}

// Whether files fit into one request, by their sizes alone; throws an Error if they don't.
export function checkSizes(files) {
  checkBytes(files.reduce((sum, file) => sum + 4 * Math.ceil(file.size / 3), ENVELOPE_BYTES));
}

function checkBytes(bytes) {
  if (bytes > MAX_BODY_BYTES) {
    throw new Error(
      `The pictures need ${(bytes / 1024 / 1024).toFixed(1)} MiB in base64 and a request may have 5 MiB. ` +
        "Choose smaller pictures, or put them on the web and send their URLs.",
    );
  }
}

// Gives {answer, milliseconds, model, timing}; throws an Error whose message says what to do.
async function call(payload, signal) {
  const body = JSON.stringify(payload);
  checkBytes(body.length);
  const plain = { method: "POST", url: this.url, headers: HEADERS, body };
  const request = this.signer ? await this.signer.sign(plain) : plain;
  const start = performance.now();
  const response = await fetch(request.url, { ...request, signal }).catch(() => {
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
