// SigV4 in the browser. The credentials live in one closure until the page closes: no storage, no cookie, no URL
// and no field holds them.
import { AwsV4Signer } from "./aws4fetch.js?v=@version@";
import { byId } from "./dom.js";
import { say } from "./words.js";


// Shows the form; calls onChange with a signer, or with null when the credentials are forgotten.
export function startSigning(region, onChange) {
  const form = byId("credentials");
  const note = byId("signing-note");
  byId("signing").hidden = false;
  form.elements.region.value = region;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!globalThis.isSecureContext) {
      say(note, "signing.insecure");
      return;
    }
    const credentials = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    onChange(makeSigner(credentials, () => say(note, "signing.refused")));
    emptyFields(form);
    byId("forget").disabled = false;
    say(note, "signing.taken", { id: credentials.accessKeyId });
  });
  byId("forget").addEventListener("click", () => {
    emptyFields(form);
    form.elements.region.value = region;
    form.elements.accessKeyId.focus();
    byId("forget").disabled = true;
    say(note, "signing.forgotten");
    onChange(null);
  });
}

// The region is no credential.
function emptyFields(form) {
  for (const name of ["accessKeyId", "secretAccessKey", "sessionToken"]) {
    form.elements[name].value = "";
  }
}

function makeSigner({ accessKeyId, secretAccessKey, sessionToken, region }, warn) {
  return {
    // Takes and gives {method, url, headers, body}.
    async sign({ method, url, headers, body }) {
      const signed = await new AwsV4Signer({
        method,
        url,
        headers,
        body,
        accessKeyId,
        secretAccessKey,
        sessionToken: sessionToken || undefined,
        service: "execute-api",
        region,
      }).sign();
      return { method, url, body, headers: Object.fromEntries(signed.headers) };
    },
    refused: warn,
  };
}
