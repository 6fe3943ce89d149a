// What cdk.json calls: app.py by the project's own Python, whichever shell and directory the CDK was started in.
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join, resolve } = require("node:path");

const ROOT = resolve(__dirname, "..");
const NEEDED = "aws_cdk,cdk_nag,yaml";
const HAS_ALL = `import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, "${NEEDED}".split(","))))`;

function inside(environment) {
  return [join(environment, "bin", "python"), join(environment, "Scripts", "python.exe")].filter(existsSync);
}

// The checkout's environment, then one that is active, then what the PATH has.
function python() {
  const active = process.env.VIRTUAL_ENV;
  const candidates = [...inside(join(ROOT, ".venv")), ...(active ? inside(active) : []), "python3", "python"];
  return candidates.find((candidate) => spawnSync(candidate, ["-c", HAS_ALL]).status === 0);
}

function main() {
  const interpreter = python();
  if (interpreter === undefined || !existsSync(join(ROOT, "node_modules", "swagger-ui-dist"))) {
    console.error(`The project's environment is not set up: run 'make setup' in ${ROOT}, once.`);
    return 1;
  }
  const done = spawnSync(interpreter, [join(ROOT, "app.py")], { cwd: ROOT, stdio: "inherit" });
  return done.status === null ? 1 : done.status;
}

process.exitCode = main();
