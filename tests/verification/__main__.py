"""`python -m tests.verification`: verify the engine's stack. `make verify LOCAL=1` calls it."""

import sys
from contextlib import ExitStack

from rich.console import Console

from tests.verification.catalogue import CATALOGUE
from tests.verification.cloud import EngineCloud
from tests.verification.place import CACHE, SUPPLIED, place
from verify.command import PICTURE, execute, parser


def main() -> int:
    """Verify."""
    options = parser("python -m tests.verification").parse_args()
    options.yes = options.delete = True  # the stack is this program's own
    given = {**SUPPLIED, **dict(word.split("=", 1) for word in options.supplied.split() if "=" in word)}
    options.supplied = " ".join(f"{name}={value}" for name, value in given.items())
    with ExitStack() as closing:
        here = closing.enter_context(place(CACHE / "logs" / "verify"))
        if options.picture == PICTURE:
            options.picture = here.picture

        def cloud() -> EngineCloud:
            return closing.enter_context(here.stack(CATALOGUE))

        return execute(options, cloud, Console())


if __name__ == "__main__":
    sys.exit(main())
