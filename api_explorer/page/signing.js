// Where people give credentials: pasted as they are exported, or typed in; tested at once, and forgotten on request.
import { readCredentials } from "./credentials.js";
import { button, byId, told } from "./dom.js";
import { failureNote } from "./failure.js";
import { makeSigner, testCall } from "./signer.js";
import { hush, languageNow, say } from "./words.js";

const TYPED = ["accessKeyId", "secretAccessKey", "sessionToken"];
const TYPING = ["insertText", "insertLineBreak", "insertCompositionText"];

// Shows the form; calls onChange with a signer, or with null when the credentials are forgotten.
export function startSigning(region, onChange) {
  const form = byId("credentials");
  const paste = byId("paste");
  const note = byId("signing-note");
  let current = null; // the signer

  function take(credentials) {
    empty();
    if (!globalThis.isSecureContext) {
      say(note, "signing.insecure");
      return;
    }
    const signer = makeSigner(
      { ...credentials, region: credentials.region || region },
      region,
      (kind) => current === signer && setState(kind),
      (failure) => current === signer && showNote(failureNote(failure)),
    );
    current = signer;
    tellWhose(credentials);
    onChange(signer);
    test();
  }

  // What is told belongs to the credentials that are tested, whatever was given meanwhile.
  async function test() {
    const signer = current;
    setState("testing");
    hush(note);
    const failure = await testCall(signer).then(() => null, (error) => error);
    if (signer !== current) {
      return;
    }
    if (failure) {
      setState(failure.key?.startsWith("signing-") ? failure.key.slice("signing-".length) : "untested");
      showNote(failureNote(failure));
    } else {
      setState("accepted");
      say(note, "signing.taken", { id: signer.id });
    }
  }

  function setState(state) {
    const within = byId("signing-give").contains(document.activeElement);
    byId("signing-state").hidden = false;
    byId("signing-state").dataset.state = state;
    say(byId("signing-chip"), `signing.state.${state}`);
    byId("signing-give").hidden = state === "accepted";
    if (within && byId("signing-give").hidden) {
      byId("test").focus(); // where the focus was is gone
    }
  }

  function showNote(...content) {
    hush(note);
    note.replaceChildren(...content);
  }

  function tellWhose({ accessKeyId, expires }) {
    const until = () => expires.toLocaleString(languageNow(), { dateStyle: "medium", timeStyle: "short" });
    const values = { id: accessKeyId, region, until: expires ? until : "" };
    say(byId("signing-whose"), expires ? "signing.whose-until" : "signing.whose", values);
  }

  function empty() {
    TYPED.forEach((name) => (form.elements[name].value = ""));
    paste.value = "";
  }

  function takeText(text) {
    const { profiles, problem } = readCredentials(text);
    paste.value = "";
    if (problem) {
      showNote(told("p", `signing.problem.${problem}`, {}, { className: "problem" }));
    } else if (profiles.length === 1) {
      take(ofThisRegion(profiles[0]));
    } else {
      const choices = profiles.map((one) => button("signing.profile", () => take(ofThisRegion(one)), {}));
      choices.forEach((choice, at) => say(choice, "signing.profile", { name: profiles[at].name || String(at + 1) }));
      showNote(told("p", "signing.which"), ...choices);
      choices[0].focus();
    }
  }

  paste.addEventListener("paste", (event) => {
    event.preventDefault(); // the text never gets into the field
    takeText(event.clipboardData.getData("text"));
  });
  paste.addEventListener("input", (event) => {
    if (!TYPING.includes(event.inputType) && readCredentials(paste.value).profiles.length > 0) {
      takeText(paste.value);
    }
  });
  paste.addEventListener("change", () => paste.value.trim() && takeText(paste.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take(Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()])));
  });
  byId("test").addEventListener("click", test);
  byId("forget").addEventListener("click", () => {
    current = null;
    empty();
    form.elements.region.value = region;
    byId("signing-state").hidden = true;
    byId("signing-give").hidden = false;
    form.elements.accessKeyId.focus();
    say(note, "signing.forgotten");
    onChange(null);
  });
  form.elements.region.value = region;
  byId("signing").hidden = false;
}

// Says where to begin to somebody who already came with pictures.
export function askForCredentials() {
  say(byId("signing-note"), "signing.first");
  byId("paste").focus();
}

// Credentials are good in every region, and a signature in one: the API's, whatever the exported default is.
function ofThisRegion(credentials) {
  return { ...credentials, region: "" };
}
