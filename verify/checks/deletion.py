"""The end: the stack is deleted, and nothing is left."""

from verify.answers import Differs
from verify.rows import Row
from verify.subject import Subject


def deletion(subject: Subject) -> str:
    """Delete the stack and look for what it had, and for what services made beside it."""
    before = subject.stack
    outcome = subject.cloud.delete()
    if not outcome.worked:
        raise Differs(f"{outcome.status}: {outcome.reason}")

    def look() -> str:
        left = subject.cloud.leftovers(before)
        if left:
            raise Differs(f"left: {', '.join(left)}")
        return f"nothing of {len(before.resources)} resources, after {outcome.seconds:.0f} s"

    return subject.until(120, look)


ROWS = (
    Row(
        "deletion",
        "the stack's deletion",
        "nothing is left of it",
        deletion,
        deletes=True,
        why="services create log groups and interfaces of their own",
    ),
)
