"""`make mutants`: small wrong changes to the request path, and whether its unit tests notice.

A random sample of the mutants that cosmic-ray knows, the same for the same seed and code. Each is put into a
copy of the checkout and judged by the unit tests that mirror its module, quick ones first. What they let pass
is listed, to be read: either a test is missing, or the change changes nothing.

It runs in a network of its own that has loopback alone: a mutant of the address filter might let anything
through.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.mutants import Mutant, all_mutants, sample
from tests.support.table import markdown

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / ".cache" / "mutants"
PATH = ("request", "sources", "image", "service", "encoder", "similarity", "telemetry")
"""Modules and packages of image_similarity.inference that a request goes through."""
MIRROR = "tests/unit/inference"
QUICK, SLOW = "not slow", "slow"
PASSED = (0, 5)
"""Exit codes of pytest: all passed, and no test was chosen."""
AS_ROOT = () if os.geteuid() == 0 else ("--map-root-user",)
OWN_NETWORK = ("unshare", "--net", *AS_ROOT, "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
PYTEST = (".venv/bin/python", "-m", "pytest", "-x", "-q", "--timeout=60")
PLUGINS = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
LIMIT_SECONDS = 600
LIMIT_BYTES = 16 * 1024**3


def modules(parts: Sequence[str]) -> list[Path]:
    """The files of some parts of the request path, from the root."""
    inference = ROOT / "image_similarity" / "inference"
    files = [path for part in parts for path in (inference / part).rglob("*.py")]
    files += [inference / f"{part}.py" for part in parts if (inference / f"{part}.py").exists()]
    return sorted(path.relative_to(ROOT) for path in files)


def mirror(module: Path) -> str:
    """The tests of a module: a file of its name, or the folder of its package."""
    name = module.relative_to("image_similarity/inference").parts[0]
    file = f"{MIRROR}/test_{name}"
    return file if file.endswith(".py") else f"{MIRROR}/{name}"


def copied() -> None:
    """A copy of what git tracks, with the packages of this checkout."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    for name in (".venv", "node_modules"):
        (COPY / name).symlink_to(ROOT / name)


def passes(tests: str, marked: str) -> bool:
    """Whether tests of the copy pass; tests that don't end don't."""
    environment = os.environ | {"PYTHONPATH": str(COPY), "PYTHONPYCACHEPREFIX": str(COPY / ".bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [*OWN_NETWORK, *PYTEST, *PLUGINS, "-m", marked, tests]
    with subprocess.Popen(
        command,
        cwd=COPY,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
    ) as process:
        try:
            return process.wait(LIMIT_SECONDS) in PASSED
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            return False


def survives(mutant: Mutant, number: int) -> bool:
    """Whether the tests let a mutant pass."""
    file = COPY / mutant.module
    original = file.read_text("utf-8")
    file.write_text(mutant.applied(original), "utf-8")
    # Bytecode is matched by size and seconds, in which two mutants may agree.
    os.utime(file, (number, number))
    try:
        return all(passes(mirror(mutant.module), marked) for marked in (QUICK, SLOW))
    finally:
        file.write_text(original, "utf-8")
        os.utime(file, (0, 0))


def main() -> int:
    """Judge a sample; 0 where enough were caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", nargs="+", default=PATH, choices=PATH)
    parser.add_argument("--enough", type=float, default=0.95, help="share that has to be caught")
    given = parser.parse_args()
    mutants = [mutant for module in modules(given.parts) for mutant in all_mutants(ROOT, module)]
    chosen = sample(mutants, given.count, given.seed)
    print(f"{len(chosen)} of {len(mutants)} mutants, each of another place, seed {given.seed}", flush=True)
    copied()
    if not all(passes(MIRROR, marked) for marked in (QUICK, SLOW)):
        print("The tests fail, or can't run in a network of their own, without any mutant.", file=sys.stderr)
        return 2
    caught, survivors = Counter[str](), Counter[str]()
    for number, mutant in enumerate(chosen, 1):
        survived = survives(mutant, number)
        (survivors if survived else caught)[mutant.part] += 1
        print(f"{number}: {'SURVIVED' if survived else 'caught'}: {mutant}", flush=True)
    parts = sorted({*caught, *survivors})
    print(markdown([{"part": part, "caught": caught[part], "survived": survivors[part]} for part in parts]))
    share = caught.total() / len(chosen)
    print(f"{share:.1%} caught, {survivors.total()} survived")
    return 0 if share >= given.enough else 1


if __name__ == "__main__":
    sys.exit(main())
