// What an answer of the API has to hold, looked at before anything is done with it (as in image_similarity/cli/answers.py).
import { Failure } from "./failure.js";

const DIMENSIONS = 512;
const ROUNDED = 0.01; // how far the length of a vector of rounded numbers may be from 1
const SYNCS = ["running", "done", "expired"];
const isText = (value) => typeof value === "string";
const isObject = (value) => value !== null && typeof value === "object";

// Each gives the answer itself, or throws the Failure that names what it lacks.
export function vectorAnswer(answer) {
  return having(`"result": ${DIMENSIONS} numbers`, isVector(answer.result), answer);
}

export function pairAnswer(answer) {
  return having('"similarity": 0 to 1', isScore(answer.similarity), answer);
}

// For so many pictures.
export function batchAnswer(count) {
  return (answer) => {
    const { results } = answer;
    const whole = Array.isArray(results) && results.length === count && results.every(isResult);
    return having(`"results": ${count}`, whole, answer);
  };
}

export function searchAnswer(answer) {
  const { matches, complete } = answer;
  const whole = Array.isArray(matches) && matches.every(isMatch) && typeof complete === "boolean";
  return having('"matches", "complete"', whole, answer);
}

export function catalogueAnswer(answer) {
  const { buckets, pending, failed, complete, lastSync, failures = [] } = answer;
  const counted = Number.isFinite(pending) && Number.isFinite(failed) && typeof complete === "boolean";
  const named = Array.isArray(buckets) && buckets.every(isText);
  const told = Array.isArray(failures) && failures.every((one) => isObject(one) && isText(one.key) && isText(one.message));
  const synced = lastSync === null || (isObject(lastSync) && SYNCS.includes(lastSync.state));
  return having('"buckets", "pending", "failed", "complete", "lastSync"', counted && named && told && synced, answer);
}

function having(what, whole, answer) {
  if (!whole) {
    throw new Failure("bad-answer", { what });
  }
  return answer;
}

function isVector(numbers) {
  return (
    Array.isArray(numbers) &&
    numbers.length === DIMENSIONS &&
    numbers.every((number) => Number.isFinite(number)) &&
    Math.abs(Math.hypot(...numbers) - 1) <= ROUNDED
  );
}

function isScore(number) {
  return Number.isFinite(number) && number >= 0 && number <= 1;
}

function isResult(item) {
  if (!isObject(item)) {
    return false;
  }
  const { result, error } = item;
  return error === undefined ? isVector(result) : isObject(error) && isText(error.code) && isText(error.message);
}

// A link is followed by people: it leads to a picture on the web, and runs nothing.
function isMatch(match) {
  if (!isObject(match)) {
    return false;
  }
  const { key, similarity, size, modified, link } = match;
  const linked = link === undefined || (isText(link) && /^https?:\/\//i.test(link));
  return isText(key) && isScore(similarity) && Number.isFinite(size) && !Number.isNaN(Date.parse(modified)) && linked;
}
