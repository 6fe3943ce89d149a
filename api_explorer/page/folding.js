// Swagger UI's code blocks: long ones (a vector has 512 lines) are folded until somebody asks for all of it.

const LINES = 24;

export const foldedCode = {
  wrapComponents: {
    HighlightCode: (original, system) => (properties) => {
      const { createElement, useState } = system.React;
      const [open, setOpen] = useState(false);
      const text = properties.children;
      const lines = typeof text === "string" ? text.split("\n").length : 0;
      const code = createElement(original, { ...properties, key: "code" });
      if (lines <= LINES) {
        return code;
      }
      const onClick = () => setOpen(!open);
      const label = open ? "Fold it again" : `Show all ${lines} lines`;
      const button = { key: "fold", type: "button", className: "btn fold", "aria-expanded": open, onClick };
      return createElement("div", { className: open ? "unfolded" : "folded" }, [
        code,
        createElement("button", button, label),
      ]);
    },
  },
};
