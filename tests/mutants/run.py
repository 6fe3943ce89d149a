"""`make mutants`: small wrong changes to the request path, and whether its unit tests notice.

A random sample of the mutants that cosmic-ray knows, the same for the same seed and code. Each is put into a
copy of the checkout and judged by the unit tests that mirror its module, quick ones first. What they let pass
is listed, to be read: either a test is missing, or the change changes nothing.

It runs in a network of its own that has loopback alone: a mutant of the address filter might let anything
through.
"""

import argparse
import os
import re
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
MIRROR = "tests/unit/inference"
TESTS = {
    "addresses": ("test_addresses.py",),
    "batch": ("test_batch.py",),
    "encoder": ("test_encoder.py",),
    "engine": ("test_engine.py", "test_batch.py", "test_service.py"),
    "errors": ("test_service.py", "test_request.py", "test_batch.py"),
    "image": ("image/test_decode.py", "image"),
    "json_body": ("test_request.py",),
    "request": ("test_request.py",),
    "service": ("test_service.py", "test_batch.py"),
    "similarity": ("test_similarity.py",),
    "sources": ("sources/test_http.py", "sources"),
    "telemetry": ("test_telemetry.py",),
    "timings": ("test_timings.py", "test_service.py", "test_telemetry.py"),
    "turns": ("test_turns.py", "test_batch.py"),
}
"""Modules and packages of image_similarity.inference that a request goes through, and their unit tests."""
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


def tests_of(module: Path) -> list[str]:
    """The tests of a module; of a package's those that share its first word come first, and end most runs."""
    part, *inside = module.relative_to("image_similarity/inference").with_suffix("").parts
    word = inside[-1].split("_")[0] if inside else ""
    alike = sorted((ROOT / MIRROR / part).glob(f"test_{word}*.py")) if word else []
    return [str(path.relative_to(ROOT)) for path in alike] + [f"{MIRROR}/{name}" for name in TESTS[part]]


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


def failure(tests: Sequence[str], marked: str) -> str | None:
    """The first of some tests of the copy that fails, or does not end; None where all pass."""
    environment = os.environ | {"PYTHONPATH": str(COPY), "PYTHONPYCACHEPREFIX": str(COPY / ".bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [*OWN_NETWORK, *PYTEST, *PLUGINS, "-m", marked, *tests]
    with subprocess.Popen(
        command,
        cwd=COPY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
    ) as process:
        try:
            output = process.communicate(timeout=LIMIT_SECONDS)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            return "no end"
    if process.returncode in PASSED:
        return None
    named = re.search(r"^(?:FAILED|ERROR) [^\s:]*/([^\s\[]+)", output, re.MULTILINE)
    return named[1] if named else f"pytest's exit code {process.returncode}"


def killer(mutant: Mutant, number: int) -> str | None:
    """The test that fails with a mutant; None where it survives."""
    file = COPY / mutant.module
    original = file.read_text("utf-8")
    file.write_text(mutant.applied(original), "utf-8")
    # Bytecode is matched by size and seconds, in which two mutants may agree.
    os.utime(file, (number, number))
    try:
        tests = tests_of(mutant.module)
        return failure(tests, QUICK) or failure(tests, SLOW)
    finally:
        file.write_text(original, "utf-8")
        os.utime(file, (0, 0))


def main() -> int:
    """Judge a sample; 0 where enough were caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", nargs="+", default=list(TESTS), choices=TESTS)
    parser.add_argument("--enough", type=float, default=0.95, help="share that has to be caught")
    given = parser.parse_args()
    mutants = [mutant for module in modules(given.parts) for mutant in all_mutants(ROOT, module)]
    chosen = sample(mutants, given.count, given.seed)
    print(f"{len(chosen)} of {len(mutants)} mutants, each of another place, seed {given.seed}", flush=True)
    copied()
    if failing := failure([MIRROR], QUICK) or failure([MIRROR], SLOW):
        print(f"{failing}: fails, or can't run in a network of its own, without any mutant.", file=sys.stderr)
        return 2
    caught, survivors = Counter[str](), Counter[str]()
    for number, mutant in enumerate(chosen, 1):
        test = killer(mutant, number)
        (caught if test else survivors)[mutant.part] += 1
        print(f"{number}: {f'caught by {test}' if test else 'SURVIVED'}: {mutant}", flush=True)
    parts = sorted({*caught, *survivors})
    print(markdown([{"part": part, "caught": caught[part], "survived": survivors[part]} for part in parts]))
    share = caught.total() / len(chosen)
    print(f"{share:.1%} caught, {survivors.total()} survived")
    return 0 if share >= given.enough else 1


if __name__ == "__main__":
    sys.exit(main())
