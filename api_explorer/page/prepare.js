// Files as the API takes them: what is too large or of another format is made smaller or converted in the browser.
import { Failure } from "./failure.js";
import { formatOf } from "./formats.js";
import { sizeText } from "./units.js";

const MAX_FILE_BYTES = 64 * 1024 * 1024; // larger ones are refused unread
const MAX_SIDE = 4096; // the API's
const SMALLER_SIDES = [2048, 1536, 1024, 768, 512];
const QUALITY = 0.92;

// {blob, width, height, note, thumbnail}: what is sent, its size in pixels (0 where the browser can't read it and the
// API may), and in `note` the text that says what was done to it ({key, values}; null where it is sent as it is).
// maxBytes: of the blob. side: of pictures that are made smaller, at most. thumbnail: the longest side of a small
// copy of it as a blob, 0 for none.
export async function prepare(file, { maxBytes, side = SMALLER_SIDES[0], thumbnail = 0 }) {
  refuseUnread(file);
  const format = await formatOf(file);
  const bitmap = await createImageBitmap(file).catch(() => null);
  try {
    return await prepared(file, format, bitmap, { maxBytes, side, thumbnail });
  } finally {
    bitmap?.close();
  }
}

// Throws a Failure for what is not worth reading.
export function refuseUnread(file) {
  if (file.size > MAX_FILE_BYTES) {
    throw new Failure("file-too-large", { size: sizeText(file.size), limit: sizeText(MAX_FILE_BYTES) });
  }
  if (file.size === 0) {
    throw new Failure("file-empty");
  }
}

async function prepared(file, format, bitmap, { maxBytes, side, thumbnail }) {
  const fits = format.sent && file.size <= maxBytes;
  if (!bitmap) {
    if (fits) {
      return { blob: file, width: 0, height: 0, note: null, thumbnail: null };
    }
    const kind = format.sent ? "large" : format.name ? "format" : "file";
    throw new Failure(`not-readable-${kind}`, { format: format.name, size: sizeText(file.size) });
  }
  const { width, height } = bitmap;
  const small = thumbnail ? await drawn(bitmap, thumbnail) : null;
  if (fits && Math.max(width, height) <= MAX_SIDE) {
    return { blob: file, width, height, note: null, thumbnail: small?.blob ?? null };
  }
  const made = await smallEnough(bitmap, maxBytes, format.sent || file.size > maxBytes ? side : MAX_SIDE);
  const note = noteOf(file, format, { width, height }, made);
  return { blob: made.blob, width, height, note, thumbnail: small?.blob ?? null };
}

async function smallEnough(bitmap, maxBytes, largest) {
  let made;
  for (const side of [largest, ...SMALLER_SIDES.filter((smaller) => smaller < largest)]) {
    made = await drawn(bitmap, side);
    if (made.blob.size <= maxBytes) {
      return made;
    }
  }
  throw new Failure("too-large", { size: ((made.blob.size * 4) / 3 / 1024 / 1024).toFixed(1) });
}

// As JPEG on white, which is what the API puts under transparency.
async function drawn(bitmap, side) {
  const factor = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * factor));
  canvas.height = Math.max(1, Math.round(bitmap.height * factor));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!blob) {
    throw new Failure("too-many-pixels", { width: bitmap.width, height: bitmap.height });
  }
  return { blob, width: canvas.width, height: canvas.height };
}

function noteOf(file, format, before, made) {
  const values = {
    format: format.name || "?",
    from: `${before.width} × ${before.height}`,
    to: `${made.width} × ${made.height}`,
    before: sizeText(file.size),
    after: sizeText(made.blob.size),
  };
  const smaller = made.width < before.width;
  if (format.sent) {
    return { key: smaller ? "prepared.smaller" : "prepared.saved-again", values };
  }
  return { key: smaller ? "prepared.converted-smaller" : "prepared.converted", values };
}

// The content of a blob as the API takes it.
export function base64(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(new Failure("file-gone"));
    reader.readAsDataURL(blob);
  });
}
