// The vectors of many pictures, by requests of {"images": [...]} that stay within the API's limits.
import { batchAnswer } from "./answers.js";
import { MAX_PICTURE_BYTES } from "./caller.js";
import { Failure } from "./failure.js";
import { base64, prepare } from "./prepare.js";
import { SECOND } from "./units.js";

const MAX_IMAGES = 32; // of 64: progress is seen twice as often
const MAX_BYTES_EACH = 400 * 1024;
const SIDE = 1024; // of what is made smaller; the model looks at a few hundred pixels
const THUMBNAIL = 240;
const ENTRY_BYTES = 16; // of an image in the request beside its content
const TRIES = 4;
const LATER = new Set(["Timeout", "Unavailable"]);
const BUSY = new Set([429, 503]);

// Gives each picture its `vector` or `failure`, `thumbnail` and `note`. Those that have one already are passed over,
// so that a run which failed or was cancelled goes on where it was. `onChange` is called for each that is done, and
// `onWait` with the seconds until a busy API is asked again.
// Throws the Failure of a request that does not get through, or an AbortError. Where the model changes, that of an
// earlier run included, no picture keeps its vector.
export async function embedAll(pictures, { caller, signal, onChange, onWait }) {
  const model = pictures.find(({ vector }) => vector)?.model; // undefined: nothing has answered yet
  const run = { caller, signal, onChange, onWait, pictures, model };
  let sending = Promise.resolve();
  let batch = [];
  const send = async () => {
    const full = batch;
    batch = [];
    await sending; // one request at a time, while the next one is prepared
    sending = sendBatch(full, run);
    sending.catch(() => {}); // told by the next await
  };
  for (const picture of pictures.filter(isOpen)) {
    signal.throwIfAborted();
    await makeReady(picture, run);
    if (picture.failure) {
      continue;
    }
    if (batch.length === MAX_IMAGES || bytesOf([...batch, picture]) > MAX_PICTURE_BYTES) {
      await send();
    }
    batch.push(picture);
  }
  await send();
  await sending;
  return run.model;
}

export function isOpen(picture) {
  return !picture.vector && !picture.failure;
}

function bytesOf(batch) {
  return batch.reduce((sum, { blob }) => sum + blob.size + ENTRY_BYTES, 0);
}

async function makeReady(picture, { onChange }) {
  if (picture.blob) {
    return;
  }
  try {
    const options = { maxBytes: MAX_BYTES_EACH, side: SIDE, thumbnail: THUMBNAIL };
    const { blob, width, height, note, thumbnail } = await prepare(picture.file, options);
    Object.assign(picture, { blob, width, height, note, shown: URL.createObjectURL(thumbnail ?? picture.file) });
  } catch (error) {
    picture.failure = error;
    onChange();
  }
}

// Pictures whose answer is "later" are asked for again, with all that did not get through.
async function sendBatch(batch, run) {
  let open = batch;
  for (let tries = 1; open.length > 0; tries += 1) {
    try {
      await sendOnce(open, run, tries === TRIES);
    } catch (error) {
      if (!BUSY.has(error.status) || tries === TRIES) {
        throw error;
      }
      const seconds = error.retryAfter ?? 2 ** tries;
      run.onWait(seconds);
      await pause(seconds, run.signal);
    }
    open = open.filter(isOpen);
  }
}

async function sendOnce(batch, run, last) {
  const images = await Promise.all(batch.map(async ({ blob }) => ({ img: await base64(blob) })));
  const { answer, model } = await run.caller.post("/image-similarity", { images }, batchAnswer(batch.length), run.signal);
  if (run.model !== undefined && model !== run.model) {
    run.pictures.forEach((picture) => (picture.vector = null));
    throw new Failure("model-changed");
  }
  run.model = model;
  batch.forEach((picture, index) => {
    const { result, error } = answer.results[index];
    if (result) {
      Object.assign(picture, { vector: Float32Array.from(result), model });
      picture.blob = null; // hundreds of them would fill the memory
    } else if (last || !LATER.has(error.code)) {
      picture.failure = Failure.ofApi({ ...error, status: 0 });
    }
  });
  run.onChange();
}

function pause(seconds, signal) {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", end);
      resolve();
    }, seconds * SECOND);
    signal.addEventListener("abort", end);
  });
}
