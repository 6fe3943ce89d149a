"""Coverage-guided fuzzing of all targets: python -m tests.fuzz.run --time SECONDS [--target NAME] [--jobs N].

New inputs grow in .cache/fuzz; one that breaks a promise is kept in .cache/fuzz/findings, and the run ends
with status 1. Ctrl-C ends it early; what was done until then is told as well.
"""

import argparse
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.fuzz.figures import Figures, table

CORPUS = Path(__file__).parent / "corpus"
GROWN = Path(".cache/fuzz")
# Share of the time: what is largest and least simple has most.
WEIGHTS = {
    "image": 5,
    "png": 3,
    "jpeg": 3,
    "bmp": 2,
    "webp": 3,
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
STOP_SECONDS = 20
INTERRUPTED = 130  # exit status, as of a shell's command that Ctrl-C ended


def fuzz(target: str, arguments: list[str]) -> None:
    """Run one target in this process; libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=["image_similarity.inference", "PIL"]):
        from tests.fuzz import network
        from tests.fuzz.targets import TARGETS

    network.sever()
    atheris.Setup([sys.argv[0], *arguments], TARGETS[target])
    atheris.Fuzz()


class Runs:
    """Processes of targets, which end together when they are told to."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def run(self, target: str, seconds: int) -> Figures | None:
        """Fuzz one target in a process of its own; None if all is over before it starts."""
        log, start = GROWN / f"{target}.log", time.monotonic()
        with log.open("wb") as output:
            with self._lock:
                if self._stopping:
                    return None
                # In a session of its own, so that Ctrl-C comes to it from here alone.
                process = subprocess.Popen(
                    _command(target, seconds), stdout=output, stderr=output, start_new_session=True
                )
                self._running.add(process)
            status = process.wait()
        with self._lock:
            self._running.discard(process)
        text = log.read_text(errors="replace")
        return Figures(target, time.monotonic() - start, status, text, interrupted=self._stopping)

    def stop(self) -> None:
        """Interrupt every process, and start no other."""
        with self._lock:
            self._stopping = True
            ending = list(self._running)
        for process in ending:
            process.send_signal(signal.SIGINT)
        end = time.monotonic() + STOP_SECONDS
        for process in ending:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def _command(target: str, seconds: int) -> list[str]:
    grown, findings = GROWN / target, GROWN / "findings"
    grown.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={MAX_INPUT_BYTES}", f"-timeout={SLOW_SECONDS}"]
    options += [f"-artifact_prefix={findings}/{target}-", "-print_final_stats=1", "-rss_limit_mb=2048"]
    command = [sys.executable, "-m", "tests.fuzz.run", "--inner", target, "--", *options, str(grown)]
    return [*command, str(CORPUS / target)]


def shares(targets: list[str], seconds: int, jobs: int) -> dict[str, int]:
    """Each target's seconds, so that all are through in the given time with so many at once."""
    whole = sum(WEIGHTS[target] for target in targets)
    return {target: max(1, min(seconds, seconds * jobs * WEIGHTS[target] // whole)) for target in targets}


def run_all(seconds_by_target: dict[str, int], jobs: int) -> tuple[list[Figures], bool]:
    """Run the targets, the longest first; their figures, and whether they were interrupted."""
    runs, interrupted = Runs(), False
    GROWN.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(jobs) as threads:
        waiting = [threads.submit(runs.run, target, share) for target, share in seconds_by_target.items()]
        try:
            for future in as_completed(waiting):
                if figures := future.result():
                    print(figures.line(), flush=True)
        except KeyboardInterrupt:
            interrupted = True
            runs.stop()
    return [figures for future in waiting if (figures := future.result())], interrupted


def main() -> int:
    """Split the time over the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=int, default=60, help="seconds for all targets together")
    parser.add_argument("--target", choices=WEIGHTS, help="this one alone")
    parser.add_argument("--jobs", type=int, default=1, help="targets at once")
    parser.add_argument("--inner", choices=WEIGHTS, help=argparse.SUPPRESS)
    known, rest = parser.parse_known_args()
    if known.inner:
        fuzz(known.inner, [argument for argument in rest if argument != "--"])
        return 0
    chosen = [known.target] if known.target else list(WEIGHTS)
    done, interrupted = run_all(shares(chosen, known.time, known.jobs), known.jobs)
    print(f"\n{table(done)}")
    for finding in (name for figures in done for name in figures.findings):
        print(f"found: {finding}")
    if not all(figures.is_clean for figures in done):
        return 1
    return INTERRUPTED if interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
