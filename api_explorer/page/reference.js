// Swagger UI, with what this API needs changed in it.
// https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/
import { copyWhenMade, signedCommand } from "./curl.js?v=@version@";

const FORBIDDEN = 403;

// The page has its own title and landmarks, and SigV4 is no header that one could type into the dialog that
// Swagger UI's own layout offers: so there is just the introduction, the server, the operations, the schemas.
const plainLayout = (system) => ({
  components: {
    PlainLayout: ({ getComponent }) => {
      const create = system.React.createElement;
      const parts = ["SvgAssets", "InfoContainer", "errors", "ServersContainer", "operations", "Models"];
      const made = parts.map((name) => create(getComponent(name, true) ?? getComponent(name), { key: name }));
      return create("div", { className: "swagger-ui" }, made);
    },
  },
  wrapComponents: { authorizeOperationBtn: () => () => null },
});

// Clear empties the request body as well as the responses; Reset brings the example back. The body becomes an
// empty line, since Swagger UI puts its example in the place of an empty string at once.
const clearAll = {
  wrapComponents: {
    clear: (original, system) => (properties) => {
      const { path, method, specActions } = properties;
      const onClick = () => {
        specActions.clearResponse(path, method);
        specActions.clearRequest(path, method);
        system.oas3Actions.setRequestBodyValue({ value: "\n", pathMethod: [path, method] });
      };
      const className = "btn btn-clear opblock-control__btn";
      return system.React.createElement("button", { className, onClick }, "Clear");
    },
  },
};

// The command that is shown has no signature and no session token; the one that is copied is signed.
const signedCurl = (signer) => ({
  wrapComponents: {
    curl: (original, system) => (properties) => {
      const { createElement, useState } = system.React;
      const [note, setNote] = useState("The copied command is signed, and holds for five minutes.");
      const onClickCapture = async (event) => {
        if (!event.target.closest(".copy-to-clipboard")) {
          return;
        }
        event.stopPropagation(); // Swagger UI would copy what is shown
        try {
          await copyWhenMade(signedCommand(signer, properties.request.toJS()));
          setNote("Copied, signed: the command holds for five minutes.");
        } catch {
          setNote("The browser did not allow it to be copied. Take the code of the same call above.");
        }
      };
      const shown = createElement(original, { ...properties, key: "curl" });
      const told = createElement("p", { key: "note", className: "curl-note", role: "status" }, note);
      return createElement("div", { onClickCapture }, shown, told);
    },
  },
});

// Names for screen readers and keyboard reach, where Swagger UI has none.
const MENDED = {
  "h1.title": { "aria-level": "3" },
  "#servers": { "aria-label": "Server" },
  ".examples-select-element": { "aria-label": "Example" },
  ".body-param__text": { "aria-label": "Request body" },
  ".curl, .highlight-code, pre.microlight": { tabindex: "0" },
};

function mend(place) {
  for (const [selector, attributes] of Object.entries(MENDED)) {
    for (const element of place.querySelectorAll(selector)) {
      Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    }
  }
}

export function showReference(description, { tryItOut, signer = null }) {
  const place = document.createElement("div");
  document.getElementById("reference").replaceChildren(place);
  new MutationObserver(() => mend(place)).observe(place, { childList: true, subtree: true });
  SwaggerUIBundle({
    spec: description,
    domNode: place,
    layout: "PlainLayout",
    plugins: [plainLayout, clearAll, ...(signer ? [signedCurl(signer)] : [])],
    supportedSubmitMethods: tryItOut ? ["get", "post"] : [],
    validatorUrl: null, // nothing is sent to Swagger's own validator
    docExpansion: "list",
    displayRequestDuration: true,
    syntaxHighlight: { theme: "tomorrow-night" },
    defaultModelsExpandDepth: 0,
    showMutatedRequest: false, // see signedCurl
    requestInterceptor: (request) => (signer ? sign(request, signer) : request),
    responseInterceptor: (response) => {
      if (signer && response.status === FORBIDDEN) {
        signer.refused();
      }
      return response;
    },
  });
}

async function sign(request, signer) {
  const { headers } = await signer.sign({ ...request, method: request.method.toUpperCase() });
  request.headers = headers;
  return request;
}
