// The Explorer: reads the description of what is deployed and shows it with Swagger UI.
import { clearRequestBody, quietAuthorize } from "./plugins.js?v=@version@";

const BACKENDS = { "yes-lambda": "AWS Lambda", "yes-sagemaker": "Amazon SageMaker" };
const documentUrl = new URL("api-explorer/openapi.json", location.href);
const status = document.getElementById("status");

async function load() {
  const response = await fetch(documentUrl);
  if (!response.ok) {
    throw new Error(`the API's description could not be loaded (${response.status}). Reload the page.`);
  }
  const description = await response.json();
  // Absolute, so that the copied calls and the server list show where requests really go.
  description.servers[0].url = new URL("..", documentUrl).href.replace(/\/$/, "");
  return description;
}

function say(deployment) {
  if (deployment.backend === "no") {
    return "No API is switched on in this deployment. Set the stack's parameter ImageSimilarity to change that.";
  }
  const where = `The API runs on ${BACKENDS[deployment.backend]}.`;
  if (deployment.authorization === "NONE") {
    return `${where} It is open to everyone (APIGatewayAuthorization is NONE), so you can try it out here.`;
  }
  return `${where} Its calls must be signed with AWS credentials (APIGatewayAuthorization is AWS_IAM), so Try it
    out is off here: this page has no credentials. You can read the API's definition.`;
}

function show(description) {
  const open = description["x-deployment"].authorization === "NONE";
  SwaggerUIBundle({
    spec: description,
    domNode: document.getElementById("reference"),
    plugins: [quietAuthorize, clearRequestBody],
    supportedSubmitMethods: open ? ["post"] : [],
    validatorUrl: null, // nothing is sent to Swagger's own validator
    docExpansion: "list",
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
  });
}

function followColourScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}

followColourScheme();
try {
  const description = await load();
  status.textContent = say(description["x-deployment"]);
  show(description);
} catch (error) {
  status.textContent = `Something went wrong: ${error.message}`;
}
