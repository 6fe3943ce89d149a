"""The command line beside hashes: python -m bench.measure.duplicates [--photographs FOLDER].

Makes folders of photographs and altered copies, runs `image-similarity pairs` and the hashes of imagededup on
them, and records times, memory and what each finds. `make bench-duplicates` installs imagededup first.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.measure.catalogue.results import Watching
from bench.measure.duplicates import accuracy, folder
from bench.measure.duplicates.accuracy import Accuracy
from bench.measure.duplicates.record import Command, Duplicates, Hash, Row
from bench.measure.paths import CACHE, CALIBRATIONS, IMAGEDEDUP, IMAGEDEDUP_PYTHON, RESULTS, ROOT
from image_similarity import Catalogue, Encoder

FILES = (1000, 10_000)
METHODS = ("PHash", "DHash", "AHash", "WHash")
OWN_DISTANCE = 10
"""imagededup's default: of 64 bits, how many may differ."""
NAMED = ("copies", "edits")
PRECISE = 0.99
SIMILARITIES = [round(0.7 + step / 200, 3) for step in range(61)]
RUN = """
import atexit, os, re
from pathlib import Path
from image_similarity.cli.app import main

def tell():
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    Path(os.environ["PEAK_FILE"]).write_text(peak)

atexit.register(tell)
main()
"""


def command(home: Path, *arguments: object) -> tuple[float, float, str]:
    """Seconds of one run of the command line, its peak of memory in MB, and what it printed."""
    peak = home / "peak"
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, arguments)],
        env={**os.environ, "XDG_DATA_HOME": str(home), "PEAK_FILE": str(peak)},
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return time.perf_counter() - start, int(peak.read_text()) * 1024 / 1e6, done.stdout


def run_command(home: Path, pictures: Path, photographs: int) -> Command:
    """Three runs of `pairs`: with an empty index, again, and with a report."""
    first, peak, _ = command(home, "pairs", pictures)
    second, _, printed = command(home, "pairs", pictures, "--json")
    report = home / "report.html"
    third, report_peak, _ = command(home, "pairs", pictures, "--report", report)
    names = sorted(path.name for path in pictures.iterdir())
    rows = {name: row for row, name in enumerate(names)}
    groups = [
        [rows[Path(source).name] for source in json.loads(line)["sources"]] for line in printed.splitlines()
    ]
    precision, grouped = accuracy.of_groups(groups, *folder.labels(names))
    return Command(
        files=len(names),
        photographs=photographs,
        first_seconds=round(first, 1),
        second_seconds=round(second, 2),
        report_seconds=round(third, 1),
        report_mb=round(report.stat().st_size / 1e6, 1),
        peak_mb=round(peak),
        report_peak_mb=round(report_peak),
        groups=len(groups),
        group_precision=precision,
        grouped=grouped,
    )


def run_hash(method: str, pictures: Path) -> tuple[Hash, list[str]]:
    """One method in its own process; the hashes in the order of the files' names."""
    script = ROOT / "bench" / "baseline" / "hashes.py"
    start = time.perf_counter()
    done = subprocess.run(
        [IMAGEDEDUP_PYTHON, script, method, pictures], stdout=subprocess.PIPE, check=True, text=True
    )
    seconds = time.perf_counter() - start
    printed = json.loads(done.stdout)
    hashes = [printed["hashes"][name] for name in sorted(printed["hashes"])]
    return Hash(method, len(hashes), round(seconds, 1), round(printed["peak_bytes"] / 1e6)), hashes


def stored_vectors(home: Path, pictures: Path) -> NDArray[np.float32]:
    """The vectors that the command has kept, in the order of the files' names."""
    [file] = (home / "image-similarity").glob("*.sqlite")
    rows = []
    with Catalogue(file, encoder=Encoder()) as catalogue:
        for path in sorted(pictures.iterdir()):
            vector = catalogue.vector(path)
            if vector is None:
                raise LookupError(path)
            rows.append(vector)
    return np.stack(rows)


def thresholds() -> dict[str, float]:
    """What `--find` takes for the bundled model."""
    models = json.loads(CALIBRATIONS.read_text("utf-8"))["models"]
    return {name: models[Encoder().name]["thresholds"][name] for name in NAMED}


def tuned(found: dict[float, Accuracy]) -> tuple[float, Accuracy]:
    """The lowest threshold at which PRECISE of the pairs are right; the highest where there is none."""
    right = [level for level, one in found.items() if one.precision >= PRECISE]
    level = min(right, default=max(found))
    return level, found[level]


def rows_of(
    tool: str,
    found: dict[float, Accuracy],
    own: dict[str, float],
    shown: Callable[[float], str],
) -> list[Row]:
    """The accuracy at the tool's own thresholds, and at the one that this folder would have taken."""
    level, best = tuned(found)
    rows = [Row(tool, name, found[at]) for name, at in own.items()]
    return [*rows, Row(tool, f"tuned: {shown(level)}", best)]


def measure(photographs: Path | None, sizes: list[int]) -> Duplicates:
    """Everything."""
    watching = Watching()
    CACHE.mkdir(parents=True, exist_ok=True)
    commands, hashes = [], []
    rows: list[Row] = []
    for number in sizes:
        with TemporaryDirectory(dir=CACHE) as made:
            pictures, home = Path(made, "pictures"), Path(made, "home")
            pictures.mkdir()
            home.mkdir()
            originals = folder.make(pictures, photographs, number)
            commands.append(run_command(home, pictures, originals))
            print(commands[-1], flush=True)
            labels = folder.labels(sorted(path.name for path in pictures.iterdir()))
            likeness = accuracy.of_vectors(stored_vectors(home, pictures))
            named = thresholds()
            found = accuracy.at(likeness, [*SIMILARITIES, *named.values()], *labels)
            own = {f"--find {name}: {level:g}": np.float32(level).item() for name, level in named.items()}
            rows = rows_of("image-similarity", found, own, lambda level: f"{level:.3f}")
            for method in METHODS:
                one, values = run_hash(method, pictures)
                print(one, flush=True)
                hashes.append(one)
                found = accuracy.at(accuracy.of_hashes(values), range(-24, 1), *labels)
                own = {f"default: {OWN_DISTANCE} bits": -float(OWN_DISTANCE)}
                rows += rows_of(method, found, own, lambda level: f"{abs(level):.0f} bits")
    version = IMAGEDEDUP.read_text("utf-8").split("imagededup==")[1].split()[0]
    return Duplicates(
        Encoder().name, version, list(folder.KINDS), commands, hashes, rows, watching.circumstances()
    )


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.duplicates", description=__doc__)
    parser.add_argument("--photographs", type=Path, help="JPEGs to take beside the benchmark's own scenes")
    parser.add_argument("--files", type=int, nargs="+", default=list(FILES), help="of each folder")
    arguments = parser.parse_args()
    found = measure(arguments.photographs, arguments.files)
    text = json.dumps(asdict(found), indent=1) + "\n"
    (RESULTS / "duplicates.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
