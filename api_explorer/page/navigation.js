// The links at the top lead to the sections that are shown.
import { byId } from "./dom.js";

export function startNavigation() {
  const links = [...byId("sections").querySelectorAll("a")];
  return {
    refresh: () => links.forEach((link) => (link.hidden = byId(link.hash.slice(1)).hidden)),
  };
}
