"""A row of the table: what is verified, what is expected, and the check that sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from verify.subject import Subject

Backend = Literal["lambda", "sagemaker", "off"]
Verdict = Literal["pass", "fail", "skipped"]
Changes = Callable[[Subject], Mapping[str, str]]
SWITCH: Mapping[Backend, str] = {"lambda": "yes-lambda", "sagemaker": "yes-sagemaker", "off": "no"}
"""The parameter ImageSimilarity of each."""


@dataclass(frozen=True)
class Row:
    """One row.

    Args:
        name: how the row is chosen on the command line.
        what: what is verified.
        expected: what must be seen.
        check: returns what was seen; raises Differs or Skipped.
        backends: where it runs: on each of these that the stack's images can be; empty: on the one found.
        steps: changes of parameters before it, one update each, beside the backend; put back afterwards.
        changed: the parameters' names, for the page.
        needs: names that the owner must supply with --with.
        fails: the row itself judges an update that failed: what its rollback leaves, or why.
        quick: part of the ten minutes.
        why: why only an account can show it, with the source where there is one.
        deletes: the row deletes the stack.
    """

    name: str
    what: str
    expected: str
    check: Callable[[Subject], str]
    backends: tuple[Backend, ...] = ()
    steps: tuple[Changes, ...] = ()
    changed: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    fails: bool = False
    quick: bool = False
    why: str = ""
    deletes: bool = False


@dataclass(frozen=True)
class Result:
    """What became of a row on one backend."""

    row: Row
    backend: Backend
    verdict: Verdict
    seen: str
