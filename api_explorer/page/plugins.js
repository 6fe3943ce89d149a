// Swagger UI plugins: https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/

// SigV4 is no header that one types in: Swagger UI's own dialog for it would only mislead.
export const quietAuthorize = {
  wrapComponents: {
    authorizeBtn: () => () => null,
    authorizeOperationBtn: () => () => null,
  },
};

// Clear empties the request body as well as the responses; Reset brings the example back.
export const clearRequestBody = {
  statePlugins: {
    spec: {
      wrapActions: {
        clearRequest: (original, system) => (path, method) => {
          system.oas3Actions.setRequestBodyValue({ value: "", pathMethod: [path, method] });
          return original(path, method);
        },
      },
    },
  },
};
