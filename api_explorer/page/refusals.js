// Why API Gateway refused a signed call. The stack's answers pass on its own words for refused signatures.
// https://repost.aws/knowledge-center/api-gateway-troubleshoot-403-forbidden

const CLOCK_MINUTES = 5; // API Gateway's tolerance
const WORDS = [
  ["expired", /security token included in the request is expired/i],
  ["denied", /is not authorized to perform|explicit deny/i],
  ["key", /security token included in the request is invalid/i],
  ["region", /credential should be scoped to/i],
  ["clock", /signature expired|signature not yet current/i],
  ["secret", /signature we calculated does not match/i],
];

// Of an answer of 403 to a signed call: one of WORDS, or "blocked" (no such route, or a firewall's refusal).
export function refusalKind({ message, errorType = "", date = null, now = Date.now() }) {
  const kind = WORDS.find(([, words]) => words.test(message ?? ""))?.[0];
  if (kind === "secret" && minutesOff(date, now) > CLOCK_MINUTES) {
    return "clock";
  }
  return kind ?? (/^ExpiredToken/.test(errorType) ? "expired" : "blocked");
}

// How far this machine's clock is from the server's, whose answer has the header Date.
function minutesOff(date, now) {
  const there = Date.parse(date ?? "");
  return Number.isNaN(there) ? 0 : Math.abs(now - there) / 60_000;
}
