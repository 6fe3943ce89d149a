// What cdk.json calls: app.py by the project's own Python, whichever shell and directory the CDK was started in.
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { basename, join, resolve } = require("node:path");

const ROOT = resolve(__dirname, "..");
const NEEDED = "aws_cdk,cdk_nag,yaml";
const HAS_ALL = `import importlib.util, sys; sys.exit(not all(map(importlib.util.find_spec, "${NEEDED}".split(","))))`;
const GENERATIONS = 4; // the CDK, a shell or two, this process

function inside(environment) {
  return [join(environment, "bin", "python"), join(environment, "Scripts", "python.exe")].filter(existsSync);
}

// The checkout's environment, then one that is active, then what the PATH has.
function python() {
  const active = process.env.VIRTUAL_ENV;
  const candidates = [...inside(join(ROOT, ".venv")), ...(active ? inside(active) : []), "python3", "python"];
  return candidates.find((candidate) => spawnSync(candidate, ["-c", HAS_ALL]).status === 0);
}

// A process's parent and command line, from /proc or, where there is none, from ps; nothing where neither tells.
function processOf(pid) {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return { parent: Number(parent[1]), words };
  } catch {
    const listed = spawnSync("ps", ["-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
    const [parent, ...words] = (listed.stdout || "").trim().split(/\s+/);
    return words.length ? { parent: Number(parent), words } : undefined;
  }
}

// What the CDK's command line was told, which it does not hand to its app: its words, or none where it isn't found.
function commandLine() {
  let pid = process.ppid;
  for (let generation = 0; generation < GENERATIONS && pid > 1; generation += 1) {
    const { parent, words } = processOf(pid) || {};
    if (words === undefined) return [];
    const at = words.findIndex((word) => /^cdk(\.js)?$/.test(basename(word)));
    if (at >= 0) return words.slice(at + 1);
    pid = parent;
  }
  return [];
}

function main() {
  const interpreter = python();
  if (interpreter === undefined || !existsSync(join(ROOT, "node_modules", "swagger-ui-dist"))) {
    console.error(`The project's environment is not set up: run 'make setup' in ${ROOT}, once.`);
    return 1;
  }
  const done = spawnSync(interpreter, [join(ROOT, "app.py"), ...commandLine()], { cwd: ROOT, stdio: "inherit" });
  return done.status === null ? 1 : done.status;
}

process.exitCode = main();
