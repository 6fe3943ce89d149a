"""python -m bench.report.check REVISION [--rounds N]: is the working tree slower than that revision anywhere?

Exit code 0: no row is slower; 1: one is; 2: the noise hides one, or the working tree does not answer.
"""

import argparse
import sys
from collections.abc import Sequence

from bench.measure import check, machine, previous
from bench.measure.paired import HIDDEN, WRONG_CHECKS, Paired, Verdict, verdict
from bench.report.tables import table

ROUNDS = 21


def main(arguments: Sequence[str]) -> int:
    """Measure, print the table; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.report.check", description=__doc__)
    parser.add_argument("revision", help="of git: a tag, a branch, a hash")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each row, {ROUNDS} by default")
    options = parser.parse_args(arguments)
    sha, watch = previous.commit(options.revision), machine.Watch()

    def begin(name: str) -> None:
        print(f"bench: {name}", file=sys.stderr)
        watch.pause()

    with check.checked_out(sha) as folder:
        rows = check.measure_all(check.rows(), folder, options.rounds, begin)
    print(
        f"The working tree against {sha[:12]}; {options.rounds} rounds in turns; {machine.description()}.\n"
    )
    print(markdown(rows))
    for reason in machine.objections(watch.state()):
        print(f"\nThe times are not to be quoted: {reason}. Both sides had it alike.")
    return exit_code(rows)


def markdown(rows: Sequence[Paired]) -> str:
    """The table, and what its words mean."""
    cells = []
    for row in rows:
        said = verdict(row, len(rows))
        if said is Verdict.MISSING:
            cells.append([row.name, "", "", "", "", said.value])
            continue
        low, high = row.interval(WRONG_CHECKS / len(rows))
        before, after = (sorted(times)[len(times) // 2] for times in (row.before, row.after))
        bounds = f"{low:.3f} to {high:.3f}"
        cells.append([row.name, f"{before:.1f}", f"{after:.1f}", f"{row.ratio():.3f}", bounds, said.value])
    head = ["row", "before, ms", "now, ms", "ratio", "which is within", ""]
    note = (
        f"The intervals are the noise: {WRONG_CHECKS:.0%} of checks of equal revisions find a row outside of "
        f"its own. Where one goes over {1 + HIDDEN:.1f}, equality is not claimed: more rounds, or a quiet "
        "machine, decide."
    )
    return f"{table(head, cells)}\n\n{note}"


def exit_code(rows: Sequence[Paired]) -> int:
    """See above."""
    said = {verdict(row, len(rows)) for row in rows}
    if Verdict.SLOWER in said:
        return 1
    return 2 if Verdict.UNDECIDED in said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
