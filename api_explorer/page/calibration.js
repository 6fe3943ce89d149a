// What a similarity says of two pictures, by the calibration of the model that gave it: the description's
// x-calibrations[X-Model], {pictures, thresholds: {copies, edits, scenes}, different: {median, most, highest}}
// (image_similarity/cli/thresholds.py). Scores of a text against pictures are on another scale.

// "copies", "edits", "scenes", "different", "unclear" (between the last two), or null where the model has none.
export function kindOf(calibration, similarity) {
  if (!calibration) {
    return null;
  }
  const kinds = Object.entries(calibration.thresholds).sort(([, a], [, b]) => b - a);
  const reached = kinds.find(([, least]) => similarity >= least);
  return reached?.[0] ?? (similarity < calibration.different.most ? "different" : "unclear");
}
