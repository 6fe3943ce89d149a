"""Coverage-guided fuzzing, all targets in turn: python -m tests.fuzz.run --time SECONDS [--target NAME].

New inputs grow in .cache/fuzz; one that breaks a promise is kept in .cache/fuzz/findings, and the run ends
with status 1.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
GROWN = Path(".cache/fuzz")
# Share of the time: what is largest and least simple has most.
WEIGHTS = {
    "image": 5,
    "png": 3,
    "http": 3,
    "service": 2,
    "request": 2,
    "url": 2,
    "base64": 1,
    "exif": 1,
    "address": 1,
}
MAX_INPUT_BYTES = 16_384
SLOW_SECONDS = 10


def fuzz(target: str, arguments: list[str]) -> None:
    """Run one target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["inference", "PIL", "urllib3", "http.client"]):
        from tests.fuzz import network
        from tests.fuzz.targets import TARGETS

    network.sever()
    atheris.Setup([sys.argv[0], *arguments], TARGETS[target])
    atheris.Fuzz()


def run(target: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own; whether it found nothing."""
    grown, findings = GROWN / target, GROWN / "findings"
    grown.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", f"-timeout={SLOW_SECONDS}"]
    options += [f"-artifact_prefix={findings}/{target}-", "-print_final_stats=1", "-rss_limit_mb=2048"]
    command = [sys.executable, "-m", "tests.fuzz.run", "--inner", target, "--", *options, str(grown)]
    command += [str(CORPUS / target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    log = done.stdout + done.stderr
    (GROWN / f"{target}.log").write_text(log)
    executions = re.search(r"number_of_executed_units: +(\d+)", log)
    memory = re.search(r"peak_rss_mb: +(\d+)", log)
    coverage = re.findall(r" cov: (\d+) ", log)
    print(
        f"{target:10} {seconds:6d} s  {executions[1] if executions else '?':>10} executions  "
        f"{coverage[-1] if coverage else '?':>6} branches  {memory[1] if memory else '?':>5} MB peak  "
        f"{'nothing found' if done.returncode == 0 else 'FOUND, see .cache/fuzz/' + target + '.log'}",
        flush=True,
    )
    return done.returncode == 0


def main() -> int:
    """Split the time over the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=int, default=60, help="seconds for all targets together")
    parser.add_argument("--target", choices=WEIGHTS, help="this one alone")
    parser.add_argument("--inner", choices=WEIGHTS, help=argparse.SUPPRESS)
    known, rest = parser.parse_known_args()
    if known.inner:
        fuzz(known.inner, [argument for argument in rest if argument != "--"])
        return 0
    chosen = [known.target] if known.target else list(WEIGHTS)
    whole = sum(WEIGHTS[target] for target in chosen)
    clean = [run(target, max(1, known.time * WEIGHTS[target] // whole)) for target in chosen]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
