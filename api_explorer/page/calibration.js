// What a score of the deployed model means, by the calibration of that model: the description's x-calibrations has
// one for each model that was measured (image_similarity/thresholds.py tells the fields), and the answers name
// theirs in X-Model. `known` is { model, copies, edits, scenes, unrelated, most } or null: the least scores of each kind
// (as in the command line's --find), the median of different pictures, and what 19 of 20 of these stay below.

const WITHOUT = 0.5; // unrelated directions, to any model
const SAME = 0.9999995; // what is rounded to 1.000000

export function startCalibration() {
  let known = null;
  const start = () => known?.unrelated ?? WITHOUT;
  return {
    get known() {
      return known;
    },
    get start() {
      return start();
    },
    // What has answered; `measured` is its calibration, or undefined.
    use(model, measured) {
      const { median: unrelated, most } = measured?.different ?? {};
      known = measured ? { model, ...measured.thresholds, unrelated, most } : null;
    },
    // "same", "copy", "edit", "scene", "unclear", "unrelated", or "unknown" where nothing is calibrated.
    kind(score) {
      if (score >= SAME) {
        return "same";
      }
      if (!known) {
        return "unknown";
      }
      const limits = { copy: known.copies, edit: known.edits, scene: known.scenes, unclear: known.most };
      return Object.keys(limits).find((name) => score >= limits[name]) ?? "unrelated";
    },
    // The place of a score on a scale from what unrelated pictures have to 1, as 0 to 1.
    place: (score) => Math.min(1, Math.max(0, (score - start()) / (1 - start()))),
  };
}
