"""docs/first-deployment.md, from the rows: `python -m verify.document` writes it anew."""

from collections.abc import Iterable
from pathlib import Path

from verify.checks.all import ROWS
from verify.rows import Row

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "first-deployment.md"
INTRODUCTION = """\
<!-- from verify/checks, by python -m verify.document -->

# The first deployment

What the tests show on one machine rests on AWS's documentation. `make verify` shows it in an account: it
calls the stack, changes its parameters one after the other, looks what the services then describe, puts the
parameters back, and prints a table, which it saves in `verify-results/` as well.

```bash
make deploy
make verify STACK=ImageSimilarity QUICK=1  # ten minutes, the backend as it is
make verify STACK=ImageSimilarity          # both backends, an hour or more
make verify STACK=ImageSimilarity ONLY=vector,log-line
make verify STACK=ImageSimilarity WITH="KmsKeyArn=arn:... WebAclArn=arn:..."
make verify LOCAL=1                        # the same without an account, on the tests' CloudFormation engine
```

It asks before it changes anything; `YES=1` is for automation. `REGION=`, `PROFILE=` and `PICTURE=` (the URL
of a picture that everyone may fetch) are taken too. `DELETE=1` deletes the stack at the end and looks what
is left of it: for a stack that was made for this. Ctrl-C puts the parameters back as well; a second one
does not wait for that. While parameters change, the API is called every two seconds, signed and unsigned:
callers of a stack in use see what the rows do to it (limits of one request, another stage name), so verify
a copy of it.

Exit status: 0 where every row passed, 1 where one failed, 3 where none failed and some were skipped.
Skipped is never passed: the table says why, and what to give for it.

Who runs it needs, beside `execute-api:Invoke` and the rights of an update (`cloudformation:UpdateStack` and
what it does), those to read: CloudFormation, Lambda, API Gateway, SageMaker, Application Auto Scaling,
CloudWatch and its logs, WAF, ECR, EC2's network interfaces, and `iam:SimulatePrincipalPolicy`; where there
is a catalogue, EventBridge, S3 Vectors and Lambda's event source mappings too.

The rows of a catalogue run where `Catalogue` is `yes`. Some write a picture below `image-similarity-verify/`
and delete it: `CatalogueBucket` is one of `ImageBuckets`, `OtherCatalogueBucket` is not, and both send their
events to EventBridge (`docs/deploy.md`). `Catalogue=no` deletes the index, so only `DELETE=1` tries it.
"""
QUICK_MARK = "yes"


def page() -> str:
    """The whole page."""
    return f"{INTRODUCTION}\n{_rows()}\n{_only_there()}"


def _rows() -> str:
    lines = [
        "## What is verified",
        "",
        "Where: `as found` is the backend that the stack has. Rows that change parameters begin",
        "with the stack as it was, and end so.",
        "",
        "| row | what | expected | where | changes | needs `WITH` | quick |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *(_line(row) for row in ROWS), ""])


def _line(row: Row) -> str:
    where = " and ".join(row.backends) or "as found"
    changes = "the stack" if row.deletes else _named(row.changed)
    quick = QUICK_MARK if row.quick else ""
    cells = (f"`{row.name}`", row.what, row.expected, where, changes, _named(row.needs), quick)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _named(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _only_there() -> str:
    lines = [
        "## What only an account can show, and why",
        "",
        "`make verify LOCAL=1` runs these rows too, on services that were written from what is known of AWS.",
        "",
        "| row | why |",
        "| --- | --- |",
    ]
    rows = [f"| `{row.name}` | {row.why} |" for row in ROWS if row.why]
    return "\n".join([*lines, *rows, "", NOT_VERIFIED])


NOT_VERIFIED = """\
Not verified by any row: the time of a first `cdk deploy` with its builds and uploads (`time make deploy`);
regions of other partitions than the one of the stack (run it there: hosts and ARNs are expected by the
partition); that alarms fire (they are there, and what they watch has values); how long an idle function
stays active.
"""

if __name__ == "__main__":
    DOCUMENT.write_text(page(), "utf-8")
