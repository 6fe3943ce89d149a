// Swagger UI, with what this API needs changed in it.
// https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/
import { FORBIDDEN } from "./caller.js";
import { copyWhenMade, signedCommand, unsignedCommand } from "./curl.js";
import { byId, make } from "./dom.js";
import { foldedCode } from "./folding.js";

const DOCUMENT = "api-explorer/openapi.json";

// The page has its own title and landmarks, and SigV4 is no header that one could type into the dialog that
// Swagger UI's own layout offers: so there is just the introduction, the server, the operations, the schemas.
const plainLayout = (system) => ({
  components: {
    PlainLayout: ({ getComponent }) => {
      const create = system.React.createElement;
      const parts = ["SvgAssets", "PlainInfo", "errors", "ServersContainer", "operations", "Models"];
      const made = parts.map((name) => create(getComponent(name, true) ?? getComponent(name), { key: name }));
      return create("div", { className: "swagger-ui" }, made);
    },
    // Its own has an h1, and says once more what the page is called.
    PlainInfo: ({ getComponent, specSelectors }) => {
      const create = system.React.createElement;
      const info = specSelectors.info();
      const link = create("a", { key: "document", href: DOCUMENT }, "openapi.json");
      const version = create("p", { key: "version" }, `Version ${info.get("version")}, OpenAPI 3.0: `, link);
      const source = info.get("description");
      const text = create(getComponent("Markdown", true), { key: "text", source });
      return create("div", { className: "info" }, [version, text]);
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
      const copyForLater = async () => {
        const text = unsignedCommand(signer, properties.request.toJS());
        const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
        setNote(
          copied
            ? "Copied: the command signs with AWS_ACCESS_KEY_ID and the like of your shell, whenever it runs."
            : "The browser did not allow it to be copied.",
        );
      };
      const shown = createElement(original, { ...properties, key: "curl" });
      const later = { key: "later", type: "button", className: "btn curl-later", onClick: copyForLater };
      const told = createElement("p", { key: "note", className: "curl-note", role: "status" }, note);
      const other = createElement("button", later, "Copy a command that signs with your shell's credentials");
      return createElement("div", { onClickCapture }, shown, told, other);
    },
  },
});

// Names for screen readers and keyboard reach, where Swagger UI has none.
const MENDED = {
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
  const seen = new Set();
  for (const element of place.querySelectorAll("[id]")) {
    while (seen.has(element.id)) {
      element.id += "_"; // nothing refers to the second of two
    }
    seen.add(element.id);
  }
}

// Swagger UI is two thirds of the page's bytes: it is loaded once the rest is there.
export function startReference(description) {
  byId("reference-section").hidden = false;
  followColourScheme();
  const loaded = loadSwagger();
  let wanted = null;
  return {
    async show(options) {
      wanted = options;
      await loaded;
      if (wanted === options) {
        draw(description, options);
      }
    },
  };
}

// Swagger UI has its dark colours under a class.
function followColourScheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", apply);
  apply();
}

function loadSwagger() {
  const style = make("link", { rel: "stylesheet", href: new URL("./swagger-ui.css?v=@version@", import.meta.url) });
  document.head.prepend(style); // our own style sheet mends it
  const script = make("script", { src: new URL("./swagger-ui-bundle.js?v=@version@", import.meta.url) });
  document.head.append(script);
  return new Promise((resolve, reject) => {
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error("swagger-ui-bundle.js")));
  });
}

function draw(description, { tryItOut, signer = null }) {
  const place = make("div");
  byId("reference").replaceChildren(place);
  new MutationObserver(() => mend(place)).observe(place, { childList: true, subtree: true });
  globalThis.SwaggerUIBundle({
    spec: description,
    domNode: place,
    layout: "PlainLayout",
    plugins: [plainLayout, clearAll, foldedCode, ...(signer ? [signedCurl(signer)] : [])],
    supportedSubmitMethods: tryItOut ? ["get", "post"] : [],
    validatorUrl: null, // nothing is sent to Swagger's own validator
    docExpansion: "list",
    displayRequestDuration: true,
    syntaxHighlight: { theme: "tomorrow-night" },
    defaultModelsExpandDepth: 0,
    showMutatedRequest: false, // see signedCurl
    requestInterceptor: (request) => (signer ? signCall(request, signer) : request),
    responseInterceptor: (response) => {
      if (signer && response.status === FORBIDDEN) {
        signer.show(signer.refused(response.obj ?? {}, new Headers(response.headers)));
      }
      return response;
    },
  });
}

async function signCall(request, signer) {
  const { headers } = await signer.sign({ ...request, method: request.method.toUpperCase() });
  request.headers = headers;
  return request;
}
