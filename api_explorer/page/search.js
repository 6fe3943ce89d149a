// The search of the catalogue: to be built.
import { byId } from "./dom.js";

// `show(false)` hides the section; it exists where the description has /catalogue/search.
export function startSearch({ caller, description, calibration }) {
  const exists = "/catalogue/search" in description.paths;
  return { show: (shown) => (byId("search").hidden = !(shown && exists)), caller, calibration };
}
