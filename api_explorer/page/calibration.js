// What a score of the deployed model means, by the calibration that the description of the deployment carries:
// x-deployment.calibration = { model, copies, edits, scenes, unrelated } or nothing. The first three are the least
// scores of each kind (as in the command line's --find); `unrelated` is the median of different pictures.

const WITHOUT = 0.5; // unrelated directions, to any model
const SAME = 0.9999995; // what is rounded to 1.000000

export function startCalibration(deployment) {
  const known = deployment.calibration ?? null;
  const start = known?.unrelated ?? WITHOUT;
  return {
    known,
    start,
    // "same", "copy", "edit", "scene", "unrelated", or "unknown" where nothing is calibrated.
    kind(score) {
      if (score >= SAME) {
        return "same";
      }
      if (!known) {
        return "unknown";
      }
      const limits = { copy: known.copies, edit: known.edits, scene: known.scenes };
      return Object.keys(limits).find((name) => score >= limits[name]) ?? "unrelated";
    },
    // The place of a score on a scale from what unrelated pictures have to 1, as 0 to 1.
    place: (score) => Math.min(1, Math.max(0, (score - start) / (1 - start))),
  };
}
