// A whole folder: to be built.
import { byId } from "./dom.js";

export function startFolder({ caller, calibration }) {
  return { show: (shown) => (byId("folder").hidden = !shown), caller, calibration };
}
