// SigV4 in the browser. The credentials live in one closure until they are forgotten or the page closes: no storage,
// no cookie, no URL and no field holds them.
import { AwsV4Signer } from "./aws4fetch.js?v=@version@";
import { FORBIDDEN, notJson } from "./caller.js";
import { exchange } from "./exchange.js";
import { Failure } from "./failure.js";
import { refusalKind } from "./refusals.js";

const SERVICE = "execute-api";
const TOO_MANY = 429;

// credentials: {accessKeyId, secretAccessKey, sessionToken, region}; region: the API's. onRefused is given the kind of
// each refusal; onFailure a Failure that nobody else shows.
export function makeSigner({ accessKeyId, secretAccessKey, sessionToken, region: signedFor }, region, onRefused, onFailure) {
  const signer = {
    id: accessKeyId,
    region: signedFor,
    temporary: Boolean(sessionToken),
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
        service: SERVICE,
        region: signedFor,
      }).sign();
      return { method, url, body, headers: Object.fromEntries(signed.headers) };
    },
    // The Failure of a signed call that was answered 403 with this JSON and these Headers.
    refused({ message, code, requestId }, headers) {
      const said = { message, errorType: headers.get("x-amzn-errortype") ?? "", date: headers.get("date") };
      const kind = refusalKind(said);
      onRefused(kind);
      const values = { id: accessKeyId, region: signedFor, own: region };
      return new Failure(`signing-${kind}`, values, { detail: message, code, status: FORBIDDEN, requestId });
    },
    show: onFailure,
  };
  return signer;
}

// One signed call that costs next to nothing: an empty request, which the API refuses after the signature was accepted.
// Throws the Failure of one that was not, or that something else answered.
export async function testCall(signer) {
  const headers = { "Content-Type": "application/json" };
  const url = new URL("image-similarity", location.href).href;
  const request = await signer.sign({ method: "POST", url, headers, body: "{}" });
  const { response, answer } = await exchange(request);
  if (response.status === FORBIDDEN) {
    throw signer.refused(answer ?? {}, response.headers);
  }
  if (response.status === TOO_MANY) {
    throw new Failure("TooManyRequests", {}, { status: TOO_MANY });
  }
  if (answer === null) {
    throw notJson(response);
  }
}
