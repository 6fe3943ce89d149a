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
calls the stack, changes its parameters one after the other, checks what the services then report, restores
the parameters, and prints a table, which it also saves in `verify-results/`.

```bash
make deploy
make verify STACK=ImageSimilarity QUICK=1  # ten minutes, the backend as it is
make verify STACK=ImageSimilarity          # both backends, an hour or more
make verify STACK=ImageSimilarity ONLY=vector,log-line
make verify STACK=ImageSimilarity WITH="KmsKeyArn=arn:... WebAclArn=arn:..."
make verify LOCAL=1                        # the same without an account, on the tests' CloudFormation engine
```

It asks before it changes anything; `YES=1` is for automation. It also takes `REGION=`, `PROFILE=` and
`PICTURE=` (the URL of a picture that everyone may fetch). `DELETE=1` deletes the stack at the end and checks
that nothing is left of it: use it for a stack that was made for this. Ctrl-C restores the parameters too; a
second Ctrl-C does not wait for that. While parameters change, the API is called every two seconds, signed
and unsigned. Callers of a stack in use would notice what the rows do to it (a limit of one request, another
stage name), so verify a copy of it.

Exit status: 0 if every row passed, 1 if one failed, 3 if none failed and some were skipped. A skipped row
never counts as passed: the table says why it was skipped, and what to give for it.

Whoever runs it needs `execute-api:Invoke`, the permissions for an update (`cloudformation:UpdateStack` and
what it does), and read access to CloudFormation, Lambda, API Gateway, SageMaker, Application Auto Scaling,
CloudWatch and its logs, WAF, ECR, EC2's network interfaces, and `iam:SimulatePrincipalPolicy`; with a
catalogue, also to EventBridge, S3 Vectors and Lambda's event source mappings.

The catalogue's rows run if `Catalogue` is `yes`. Some write a picture below `image-similarity-verify/` and
delete it: `CatalogueBucket` is one of `ImageBuckets`, `OtherCatalogueBucket` is not, and both send their
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
        "Where: `as found` is the backend that the stack has. Rows that change parameters start from",
        "the stack as it was, and restore it.",
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
        "`make verify LOCAL=1` runs these rows too, on services written from what is known about AWS.",
        "",
        "| row | why |",
        "| --- | --- |",
    ]
    rows = [f"| `{row.name}` | {row.why} |" for row in ROWS if row.why]
    return "\n".join([*lines, *rows, "", NOT_VERIFIED])


NOT_VERIFIED = """\
Not verified by any row: how long a first `cdk deploy` takes with its builds and uploads (`time make deploy`);
regions in other partitions than the stack's (run it there: it expects the partition's hosts and ARNs); that
alarms fire (they exist, and what they watch has values); how long an idle function stays active.
"""

if __name__ == "__main__":
    DOCUMENT.write_text(page(), "utf-8")
