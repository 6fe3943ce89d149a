"""The index of this machine's pictures, as the commands use it."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from image_similarity.catalogue.index import IndexFileError, TransientError, index_name
from image_similarity.cli.places import data_folder
from image_similarity.cli.progress import progress
from image_similarity.cli.targets import Unreachable
from image_similarity.cli.text import counted, tell
from image_similarity.folders.encoding import DeferredEncoder
from image_similarity.folders.index import FolderIndex
from image_similarity.folders.inventory import Inventory
from image_similarity.inference.errors import StartError
from image_similarity.inference.loading import DEFAULT_MODEL_DIR


@dataclass(frozen=True, slots=True)
class Update:
    """What an update did.

    Attributes:
        indexed, gone, kept, failed: pictures that were read, that left, that were as they are known, and that
            have no vector.
        unseen: files and folders that are not there, can't be looked into, or are something else.
        seconds: how long it took.
    """

    indexed: int
    gone: int
    kept: int
    failed: int
    unseen: int
    seconds: float

    @property
    def failures(self) -> int:
        """All that was told as one."""
        return self.failed + self.unseen

    def facts(self) -> dict[str, object]:
        """For programs."""
        return {"indexed": self.indexed, "gone": self.gone, "kept": self.kept, "failed": self.failures}

    def sentence(self) -> str:
        """For people."""
        total = self.indexed + self.kept + self.failed
        parts = [f"{self.indexed:,} indexed", f"{self.kept:,} as they were"]
        parts += [f"{self.gone:,} gone"] if self.gone else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"{counted(self.unseen, 'name')} could not be read"] if self.unseen else []
        return f"{counted(total, 'picture')}: {', '.join(parts)}; {self.seconds:.1f} s."


def default_file(model: DeferredEncoder) -> Path:
    """Where the index of a model is kept: each has a file of its own."""
    return data_folder() / f"{index_name(model.manifest)}.sqlite"


@contextmanager
def opened(file: Path | None, *, needed: bool = True) -> Iterator[FolderIndex]:
    """The index in a file, or in the default one.

    Args:
        file: as it was given.
        needed: fail where the default one can't be written; else work without keeping anything.

    Raises:
        Unreachable: it is no index, one of another model, can't be opened, or failed on the way; or there is
        no model.
    """
    with ExitStack() as stack:
        try:
            encoder = DeferredEncoder(Path(os.environ.get("MODEL_DIR", DEFAULT_MODEL_DIR)))
            try:
                index = FolderIndex(file or default_file(encoder), encoder)
            except (OSError, TransientError, IndexFileError, RuntimeError) as error:
                if file is not None or needed:
                    raise Unreachable(
                        f"The index can't be opened: {error}. Name another with --index."
                    ) from error
                tell(f"The index can't be opened ({error}): nothing is kept for next time.")
                kept = stack.enter_context(tempfile.TemporaryDirectory(prefix="image-similarity-"))
                index = FolderIndex(Path(kept) / "index.sqlite", encoder)
            yield stack.enter_context(index)
        except StartError as error:
            raise Unreachable(str(error)) from error
        except (TransientError, IndexFileError) as error:
            raise Unreachable(f"The index can't be used: {error}.") from error


def bring_up_to_date(index: FolderIndex, inventory: Inventory) -> Update:
    """Index what is new or changed, and drop what is gone; failures are told as they are met."""
    started = time.monotonic()
    for line in (*inventory.notes, *(f"{name}: {problem}" for name, problem in inventory.failures)):
        tell(line)
    todo = index.todo(inventory)
    if inventory.gone:
        index.drop(inventory.gone)
    indexed = failed = 0
    if todo:
        with progress("loading the model"):
            index.load()
        try:
            # The display ends before what was begun is waited for: a second Ctrl-C may end that at once.
            with closing(index.update(todo)) as batches, progress("indexing", len(todo)) as advance:
                for batch in batches:
                    problems = [(one.key, one.problem) for one in batch if one.problem]
                    for key, problem in problems:
                        tell(f"{inventory.names[key]}: {problem}")
                    indexed, failed = indexed + len(batch) - len(problems), failed + len(problems)
                    advance(len(batch), inventory.names[batch[-1].key])
        except KeyboardInterrupt:
            done = index.agreeing(inventory, todo)  # what was under way was finished, too
            tell(f"{done:,} of {len(todo):,} were indexed; the next run continues from there.")
            raise
    before = _failed_before(index, inventory, todo)
    kept = len(inventory.states) - len(todo) - before
    seconds = time.monotonic() - started
    return Update(indexed, len(inventory.gone), kept, failed + before, len(inventory.failures), seconds)


def _failed_before(index: FolderIndex, inventory: Inventory, todo: Sequence[str]) -> int:
    """Tell of pictures that failed in an earlier run, and are as they were."""
    tried = set(todo)
    failures = index.failures(key for key in inventory.states if key not in tried)
    for key, problem in failures.items():
        tell(f"{inventory.names[key]}: {problem}")
    return len(failures)
