// An answer, or why there is none, for people.

const DECIMALS = 6;

export function showOutcome(place, { answer, milliseconds, model, timing }) {
  const parts = "similarity" in answer ? similarity(answer.similarity) : vector(answer.result);
  const server = timing.map(([name, duration]) => `${name} ${duration} ms`).join(", ");
  const took = `Answered in ${Math.round(milliseconds)} ms${server ? ` (on the server: ${server})` : ""}.`;
  place.replaceChildren(...parts, element("p", took), element("p", `Model: ${model ?? "not told"}.`));
}

export function showFailure(place, error) {
  const failure = element("p", error.message);
  failure.className = "failure";
  place.replaceChildren(failure);
}

function similarity(value) {
  const meter = document.createElement("meter");
  Object.assign(meter, { min: 0, max: 1, value });
  meter.setAttribute("aria-label", "Similarity");
  const number = element("p", `Similarity ${value.toFixed(DECIMALS)}`);
  number.className = "number";
  return [number, meter, element("p", "1 is the same picture; 0.5 means unrelated directions.")];
}

function vector(numbers) {
  const title = element("p", `A vector of ${numbers.length} numbers`);
  title.className = "number";
  const start = element("p", `It starts with ${numbers.slice(0, 4).join(", ")}.`);
  const download = element("a", "Download the vector");
  download.href = URL.createObjectURL(new Blob([JSON.stringify(numbers)], { type: "application/json" }));
  download.download = "vector.json";
  return [title, start, download];
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
