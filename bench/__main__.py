"""python -m bench [--full] [--previous REV]: tables to bench/results; a full run also writes to docs."""

import argparse
import json
import sys
from dataclasses import asdict

from bench.measure import prepare, previous
from bench.measure.contenders import contenders
from bench.measure.paths import CACHE, FIGURES, RESULTS
from bench.measure.results import Run
from bench.measure.run import FULL, QUICK, measure
from bench.report import cost_page, page, plots


def main() -> None:
    """Prepares, measures, writes."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="more rounds, 64 clients, memory sizes: about 20 minutes"
    )
    parser.add_argument("--previous", metavar="REV", help="a git revision, compared in the same runs")
    arguments = parser.parse_args()
    sha = previous.commit(arguments.previous) if arguments.previous else None
    infinity = prepare.prepare()
    chosen = contenders() + ([previous.contender(sha)] if sha else [])
    write(measure(chosen, FULL if arguments.full else QUICK, infinity=infinity, previous=sha))


def write(run: Run) -> None:
    """The record, the report and the plots; of a full run the page of costs too."""
    full = run.mode == FULL.mode
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = page.markdown(run)
    (RESULTS / f"{run.mode}.json").write_text(json.dumps(asdict(run), indent=1) + "\n")
    (RESULTS / f"{run.mode}.md").write_text(text)
    print(text)
    figures = FIGURES if full else CACHE / "figures"
    names = ", ".join(plots.draw(run, figures))
    if full:
        cost_page.write()
    print(f"took {run.minutes:.1f} minutes; plots in {figures}: {names}", file=sys.stderr)


if __name__ == "__main__":
    main()
