// Numbers as people read them.

export const SECOND = 1000; // in milliseconds
const STEP = 1024;
const SCORE_DECIMALS = 3;
const EXACT_DECIMALS = 6;

export function sizeText(bytes) {
  if (bytes < STEP) {
    return `${bytes} B`;
  }
  if (bytes < STEP * STEP) {
    return `${Math.round(bytes / STEP)} KB`;
  }
  return `${(bytes / STEP / STEP).toFixed(1)} MB`;
}

// Three decimals; what is not quite 1 never reads 1.000.
export function scoreText(score) {
  const text = score.toFixed(SCORE_DECIMALS);
  return score < 1 && text === "1.000" ? "0.999" : text;
}

export function exactText(score) {
  return score.toFixed(EXACT_DECIMALS);
}
