// The Explorer: reads the description of what is deployed, and puts the page's parts to work.
import { startArrivals } from "./arrivals.js";
import { startCalibration } from "./calibration.js";
import { makeCaller } from "./caller.js";
import { startCompare } from "./compare.js";
import { byId } from "./dom.js";
import { startFolder } from "./folder.js";
import { startNavigation } from "./navigation.js";
import { startReference } from "./reference.js";
import { startSearch } from "./search.js";
import { askForCredentials, startSigning } from "./signing.js";
import { say, startLanguage } from "./words.js";

const BACKENDS = { "yes-lambda": "AWS Lambda", "yes-sagemaker": "Amazon SageMaker" };
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];
const PATIENCE_MS = 60_000; // for the description

async function describe() {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(new URL("api-explorer/openapi.json", location.href), { signal });
  if (!response.ok) {
    throw new Error(`openapi.json: ${response.status}`);
  }
  return response.json();
}

function introduce({ authorization, backend }) {
  const where = LOOPBACK.includes(location.hostname) ? "local" : backend;
  const kind = backend === "no" ? "off" : `${where}.${authorization === "NONE" ? "open" : "signed"}`;
  say(byId("status"), `status.${kind}`, { backend: BACKENDS[backend] }).classList.toggle("local", where === "local");
}

async function start() {
  const description = await describe();
  const deployment = description["x-deployment"];
  // Absolute, so that the copied calls and the server list show where requests really go.
  description.servers[0].url = new URL(".", location.href).href.replace(/\/$/, "");
  introduce(deployment);
  if (deployment.backend === "no") {
    return; // there is nothing to describe
  }
  const open = deployment.authorization === "NONE";
  const parts = { caller: makeCaller(description.servers[0].url), description };
  parts.calibration = startCalibration();
  const folder = startFolder({ ...parts, compare: () => compare });
  const compare = startCompare({ ...parts, folder });
  const isOpen = () => open || parts.caller.signer !== null;
  startArrivals({ compare, folder, isOpen, onClosed: () => askForCredentials() });
  const tools = [compare, folder, startSearch(parts)];
  const reference = startReference(description);
  const allow = (signer) => {
    parts.caller.signer = signer;
    tools.forEach((tool) => tool.show(open || signer !== null));
    reference.show({ tryItOut: open || signer !== null, signer });
    navigation.refresh();
  };
  const navigation = startNavigation();
  const calibrations = new Map(Object.entries(description["x-calibrations"]));
  parts.caller.heard = (model) => parts.calibration.use(model, calibrations.get(model));
  allow(null);
  if (!open) {
    startSigning(deployment.region, allow);
  }
}

startLanguage(byId("languages"));
try {
  await start();
} catch (error) {
  say(byId("status"), "status.failed", { reason: error.message });
}
