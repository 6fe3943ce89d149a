// A call as a signed curl command. It is signed when it is copied, since a signature holds for five minutes.

// The document ends with a line break that the body did not have, so that is signed too.
export async function signedCommand(signer, { method, url, headers, body }) {
  const request = await signer.sign({ method: method.toUpperCase(), url, headers, body: `${body}\n` });
  const options = Object.entries(request.headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const end = endOf(body);
  const command = [`curl -X ${request.method} ${quoted(url)}`, ...options, `--data-binary @- <<'${end}'`];
  return `${command.join(" \\\n  ")}\n${body}\n${end}\n`;
}

// A word that is no line of the body.
function endOf(body) {
  const lines = new Set(body.split("\n"));
  let end = "JSON";
  while (lines.has(end)) {
    end += "_";
  }
  return end;
}

export function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// Puts a text that is still being made on the clipboard, as part of the click that asked for it.
export async function copyWhenMade(making) {
  const text = making.then((made) => new Blob([made], { type: "text/plain" }));
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
}
