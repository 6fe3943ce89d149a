// The Explorer: reads the description of what is deployed, and puts the page's parts to work.
import { makeCaller } from "./caller.js?v=@version@";
import { startCompare } from "./compare.js?v=@version@";
import { showReference } from "./reference.js?v=@version@";
import { startSigning } from "./signing.js?v=@version@";

const BACKENDS = { "yes-lambda": "AWS Lambda", "yes-sagemaker": "Amazon SageMaker" };
const assets = new URL("api-explorer/", location.href);
const status = document.getElementById("status");

async function load(name) {
  const response = await fetch(new URL(name, assets));
  if (!response.ok) {
    throw new Error(`${name} could not be loaded (${response.status}). Reload the page.`);
  }
  return response.json();
}

function introduce({ authorization, backend }) {
  if (backend === "no") {
    return "No API is switched on in this deployment. Set the stack's parameter ImageSimilarity to change that.";
  }
  const where = `The API runs on ${BACKENDS[backend]}.`;
  if (authorization === "NONE") {
    return `${where} It is open to everyone (APIGatewayAuthorization is NONE), so you can try it out here.`;
  }
  return (
    `${where} Its calls must be signed with AWS credentials (APIGatewayAuthorization is AWS_IAM), so trying ` +
    "it out is off until you give some below. You can read the API's definition at once."
  );
}

function followColourScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}

async function start() {
  const [description, examples] = await Promise.all([load("openapi.json"), load("examples.json?v=@version@")]);
  const deployment = description["x-deployment"];
  // Absolute, so that the copied calls and the server list show where requests really go.
  description.servers[0].url = new URL("..", assets.href + "openapi.json").href.replace(/\/$/, "");
  status.textContent = introduce(deployment);
  if (deployment.backend === "no") {
    return; // there is nothing to describe
  }
  document.getElementById("reference-section").hidden = false;
  const caller = makeCaller(`${description.servers[0].url}/image-similarity`);
  const compare = startCompare({ caller, description, examples });
  const open = deployment.authorization === "NONE";
  compare.show(open);
  showReference(description, { tryItOut: open });
  if (!open) {
    startSigning(deployment.region, (signer) => {
      caller.signer = signer;
      compare.show(signer !== null);
      showReference(description, { tryItOut: signer !== null, signer });
    });
  }
}

followColourScheme();
try {
  await start();
} catch (error) {
  status.textContent = `Something went wrong: ${error.message}`;
}
