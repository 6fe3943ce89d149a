// What a file is, by its first bytes. What the API reads is sent as it is.

const HEAD_BYTES = 16;
const SENT = new Set(["JPEG", "PNG", "BMP", "WebP"]);
const STARTS = { JPEG: "\xff\xd8\xff", PNG: "\x89PNG", BMP: "BM", GIF: "GIF8", PDF: "%PDF" };
const TIFF = ["II*\0", "MM\0*"];
const BRANDS = { avif: "AVIF", avis: "AVIF", heic: "HEIC", heix: "HEIC", hevc: "HEIC", mif1: "HEIC", msf1: "HEIC" };

// {name, sent}: the format's name, "" where it is none of those known here, and whether it is sent as it is.
export async function formatOf(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const name = nameOf(String.fromCharCode(...bytes));
  return { name, sent: SENT.has(name) };
}

function nameOf(head) {
  const found = Object.keys(STARTS).find((name) => head.startsWith(STARTS[name]));
  if (found) {
    return found;
  }
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") {
    return "WebP";
  }
  if (head.slice(4, 8) === "ftyp") {
    return BRANDS[head.slice(8, 12)] ?? "";
  }
  return TIFF.some((start) => head.startsWith(start)) ? "TIFF" : "";
}
