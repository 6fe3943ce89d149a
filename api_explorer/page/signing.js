// SigV4 in the browser. The credentials live in one closure until the page closes: no storage, no cookie, no URL
// and no field holds them.
import { AwsV4Signer } from "./aws4fetch.js?v=@version@";

const byId = (id) => document.getElementById(id);

// Shows the form; calls onChange with a signer, or with null when the credentials are forgotten.
export function startSigning(region, onChange) {
  const form = byId("credentials");
  const note = byId("signing-note");
  byId("signing").hidden = false;
  form.elements.region.value = region;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!globalThis.isSecureContext) {
      note.textContent = "Signing needs a page loaded over https. Open this page by its https URL.";
      return;
    }
    const credentials = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
    onChange(makeSigner(credentials, (text) => (note.textContent = text)));
    emptyFields(form);
    byId("forget").disabled = false;
    note.textContent = `Calls are now signed with ${credentials.accessKeyId}. Try it out is on.`;
  });
  byId("forget").addEventListener("click", () => {
    emptyFields(form);
    form.elements.region.value = region;
    form.elements.accessKeyId.focus();
    byId("forget").disabled = true;
    note.textContent = "The credentials are forgotten. Try it out is off.";
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
    refused() {
      warn(
        "The API refused the signature: the key is wrong, the temporary credentials have expired, the region " +
          "is another, or they may not invoke this API (execute-api:Invoke). Enter fresh ones.",
      );
    },
  };
}
