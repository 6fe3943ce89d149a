// AWS credentials out of a text that people paste: what `aws configure export-credentials` prints in each of its
// formats, lines for the shells of all systems, a profile of the credentials file, the JSON of STS, of IAM Identity
// Center and of credential processes, and the CSV of the console.
// https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html

const FIELDS = {
  accessKeyId: ["accesskeyid", "awsaccesskeyid"],
  secretAccessKey: ["secretaccesskey", "awssecretaccesskey", "secretkey"],
  sessionToken: ["sessiontoken", "awssessiontoken", "awssecuritytoken", "token", "securitytoken"],
  region: ["region", "awsregion", "awsdefaultregion"],
  expires: ["expiration", "awscredentialexpiration", "expires"],
};
const SECTION = /^\[(?:profile\s+)?"?([^\]"]+)"?\]$/;
const ASSIGNMENT = new RegExp(
  "^(?:[$>#%]\\s+)?" + // a prompt that was copied along
    "(?:export\\s+|declare\\s+-x\\s+|setx?\\s+(?:-\\w+\\s+)*|setenv\\s+|(?:-e|--env)\\s+)?" +
    "(?:\\$env:)?[\"']?(aws_\\w+|region|expiration)[\"']?(?:\\s*[=:]\\s*|\\s+)(.*)$",
  "i",
);
const CONTINUATION = /^[\w+/=-]{4,}["']?;?$/; // a terminal breaks long tokens into lines
const TEMPORARY = /^ASIA/;

// Gives {profiles: [{name, accessKeyId, secretAccessKey, sessionToken, region, expires}], problem}. Each profile is
// whole; `region` and `sessionToken` may be "", `expires` is a Date or null. Where there is none, `problem` is "empty",
// "unknown", "no-id", "no-secret" or "no-token"; else null.
export function readCredentials(text) {
  const all = (fromJson(text) ?? fromTable(text) ?? fromLines(text)).map(whole);
  const profiles = all.filter((one) => problemOf(one) === null);
  if (profiles.length > 0) {
    return { profiles, problem: null };
  }
  const begun = all.find((one) => one.accessKeyId || one.secretAccessKey);
  return { profiles, problem: begun ? problemOf(begun) : text.trim() ? "unknown" : "empty" };
}

function problemOf({ accessKeyId, secretAccessKey, sessionToken }) {
  if (!accessKeyId) {
    return "no-id";
  }
  if (!secretAccessKey) {
    return "no-secret";
  }
  return TEMPORARY.test(accessKeyId) && !sessionToken ? "no-token" : null;
}

function whole(found) {
  const expires = found.expires ? new Date(found.expires) : null;
  const known = { name: "", accessKeyId: "", secretAccessKey: "", sessionToken: "", region: "", ...found };
  return { ...known, expires: expires && !Number.isNaN(expires.getTime()) ? expires : null };
}

function fieldOf(name) {
  const plain = name.toLowerCase().replace(/[^a-z]/g, "");
  return Object.keys(FIELDS).find((field) => FIELDS[field].includes(plain));
}

// Every object of the JSON that has an access key id; null where the text has no JSON.
function fromJson(text) {
  const json = text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1);
  try {
    // line breaks inside of strings are a terminal's
    return objects(JSON.parse(json.replace(/\r?\n\s*/g, ""))).map(fieldsOf).filter((found) => found.accessKeyId);
  } catch {
    return null;
  }
}

function objects(node) {
  return node && typeof node === "object" ? [node, ...Object.values(node).flatMap(objects)] : [];
}

function fieldsOf(object) {
  const pairs = Object.entries(object).map(([name, value]) => [fieldOf(name), value]);
  return Object.fromEntries(pairs.filter(([field, value]) => field && ["string", "number"].includes(typeof value)));
}

// The console's CSV: a line of names, a line of values.
function fromTable(text) {
  const [head, ...rows] = text.replace(/^\uFEFF/, "").trim().split(/\r?\n/).map((line) => line.split(","));
  const fields = head.map(fieldOf);
  if (!fields.includes("accessKeyId") || !fields.includes("secretAccessKey")) {
    return null;
  }
  return rows.map((row) => Object.fromEntries(fields.map((field, at) => [field, unquoted(row[at] ?? "")])));
}

function fromLines(text) {
  const found = [{ name: "" }];
  let last = null;
  for (const line of text.split(/\r?\n|;|&&/).map((piece) => piece.trim())) {
    const section = SECTION.exec(line);
    const [, name, value] = ASSIGNMENT.exec(line) ?? [];
    const field = name && fieldOf(name);
    const current = found.at(-1);
    if (section) {
      found.push({ name: section[1].trim() });
      last = null;
    } else if (field) {
      current[field] = unquoted(value);
      last = field;
    } else if (last && !name && CONTINUATION.test(line)) {
      current[last] += unquoted(line);
    } else if (line) {
      last = null;
    }
  }
  return found;
}

function unquoted(text) {
  return text.trim().replace(/^["'`]+|["'`,\\]+$/g, "").trim();
}
