// The pictures among files that were chosen, or of folders that were dropped.

import { Failure } from "./failure.js";

const SUFFIXES = /\.(jpe?g|jfif|png|bmp|dib|webp|heic|heif|avif|gif|tiff?)$/i;

// [{path, file}] by path, from a file input or a plain list. Hidden files (._* of macOS) are no pictures.
export function picturesOf(files) {
  return ordered([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

// The same from entries of the File and Directory Entries API, folders within folders too. A file that can't be read
// any more is an empty one, and its `failure` says so.
export async function picturesOfEntries(entries) {
  const found = [];
  const waiting = [...entries];
  while (waiting.length > 0) {
    const entry = waiting.pop();
    if (entry.isDirectory) {
      waiting.push(...(await entriesOf(entry)));
    } else {
      found.push({ path: entry.fullPath.replace(/^\//, ""), ...(await fileOf(entry)) });
    }
  }
  return ordered(found);
}

function ordered(pictures) {
  const name = (path) => path.split("/").at(-1);
  const found = pictures.filter(({ path }) => SUFFIXES.test(path) && !name(path).startsWith("."));
  const start = commonFolder(found.map(({ path }) => path));
  return found
    .map((picture) => ({ ...picture, path: picture.path.slice(start.length) }))
    .sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
}

// The folder that all paths begin with tells nothing: "holidays/" or "".
function commonFolder(paths) {
  const first = paths[0] ?? "";
  const folder = first.slice(0, first.lastIndexOf("/") + 1);
  return paths.every((path) => path.startsWith(folder)) ? folder : "";
}

// A reader gives some at a time (Chromium: 100), and none at the end.
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) {
      return all;
    }
    all.push(...some);
  }
}

function fileOf(entry) {
  return new Promise((resolve) => {
    const gone = () => resolve({ file: new File([], entry.name), failure: new Failure("file-gone") });
    entry.file((file) => resolve({ file }), gone);
  });
}
