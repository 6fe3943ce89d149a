"""python -m bench [--full] [--previous REV]: tables to bench/results; a full run also writes to docs.

Results of a busy machine go to bench/results/*-busy.*, and never to docs.
"""

import argparse
import json
import sys
from dataclasses import asdict

from bench.measure import machine, prepare, previous
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
    """Write record, report and plots; after a full run on a quiet machine, the page of costs too."""
    against = machine.objections(run.state) if run.state else []
    quoted = run.mode == FULL.mode and not against
    name = f"{run.mode}-busy" if against else run.mode
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = page.markdown(run)
    (RESULTS / f"{name}.json").write_text(json.dumps(asdict(run), indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)
    print(text)
    figures = FIGURES if quoted else CACHE / "figures"
    names = ", ".join(plots.draw(run, figures))
    if quoted:
        cost_page.write()
    for reason in against:
        print(f"bench: not to be quoted: {reason}", file=sys.stderr)
    print(f"took {run.minutes:.1f} minutes; plots in {figures}: {names}", file=sys.stderr)


if __name__ == "__main__":
    main()
