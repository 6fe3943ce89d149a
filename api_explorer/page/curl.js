// A call as a signed curl command. It is signed when it is copied, since a signature holds for five minutes.

// The document ends with a line break that the body did not have, so that is signed too.
export async function signedCommand(signer, { method, url, headers, body = "" }) {
  const sent = body ? `${body}\n` : undefined;
  const request = await signer.sign({ method: method.toUpperCase(), url, headers, body: sent });
  return withBody([`curl -X ${request.method} ${quoted(url)}`, ...optionsOf(request.headers)], body);
}

// The same call as a command that curl signs with the credentials of the shell's environment, whenever it is run: no
// part of them is in it.
export function unsignedCommand({ region, temporary }, { method, url, headers, body = "" }) {
  const command = [
    `curl -X ${method.toUpperCase()} ${quoted(url)}`,
    `--aws-sigv4 ${quoted(`aws:amz:${region}:execute-api`)}`,
    '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
    ...(temporary ? ['-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"'] : []),
    ...optionsOf(headers),
  ];
  return withBody(command, body);
}

function optionsOf(headers) {
  return Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
}

function withBody(command, body) {
  const end = endOf(body);
  const parts = body ? [...command, `--data-binary @- <<'${end}'`] : command;
  return `${parts.join(" \\\n  ")}\n${body ? `${body}\n${end}\n` : ""}`;
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
