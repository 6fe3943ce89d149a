"""Vectors that an API has made, kept on this machine: while a file is as it was, it is not sent again."""

import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Entry, IndexFileError, Record, TransientError
from image_similarity.catalogue.objects import ObjectState
from image_similarity.cli import pictures
from image_similarity.cli.pictures import UnreadablePicture
from image_similarity.cli.places import data_folder
from image_similarity.cli.targets import Answer, Outcome, Refused, Target, Unreachable
from image_similarity.cli.text import counted, tell
from image_similarity.folders.inventory import file_path
from image_similarity.folders.store import FileStore, key_of
from image_similarity.inference import similarity

SAME = 0.9999
"""Two answers for one picture are as alike at least, whatever processor made them."""
PROBES = 3
"""Pictures that are sent, one after the other, to learn which model answers."""
SETTLED_SECONDS = 2.0
"""A file that was written later may be written again within one tick of its time: it is not remembered."""


class Remembering:
    """A target that asks another one for those pictures alone that it has no vector of. See `Target`.

    Args:
        target: the other one.
        index: what is remembered, all of one model.
        model: that one.
        probed: what has become of pictures that were sent already.
    """

    def __init__(self, target: Target, index: EmbeddedIndex, model: str, probed: dict[str, Outcome]) -> None:
        self.group, self.url = target.group, target.url
        self.known = 0
        self._target, self._index, self._model = target, index, model
        self._probed, self._store = probed, FileStore()
        self._lock, self._full = threading.Lock(), False

    def embed(self, picture: str) -> Answer:
        """See `Target.embed`."""
        [outcome] = self.embed_many([picture])
        if isinstance(outcome, Answer):
            return outcome
        raise outcome

    def embed_many(self, pictures: Sequence[str]) -> list[Outcome]:
        """See `Target.embed_many`."""
        states = {name: state_of(self._store, name) for name in pictures}
        outcomes: dict[str, Outcome] = self._remembered(states)
        with self._lock:
            self.known += len(outcomes)
            outcomes |= {name: self._probed[name] for name in pictures if name in self._probed}
        left = [name for name in pictures if name not in outcomes]
        if left:
            outcomes |= zip(left, self._target.embed_many(left), strict=True)
        self._keep(
            {name: states[name] for name in pictures if name in left or name in self._probed}, outcomes
        )
        return [outcomes[name] for name in pictures]

    def compare(self, first: str, second: str) -> tuple[float, str]:
        """See `Target.compare`."""
        return self._target.compare(first, second)

    def _remembered(self, states: dict[str, ObjectState | None]) -> dict[str, Outcome]:
        keys = {name: state.key for name, state in states.items() if state and name not in self._probed}
        try:
            entries = self._index.get(keys.values())
            vectors = dict(self._index.vectors(keys.values()))
        except (TransientError, IndexFileError) as error:
            raise Unreachable(f"The vectors of earlier runs can't be read: {error}.") from error
        return {
            name: Answer(vectors[key], self._model)
            for name, key in keys.items()
            if key in entries and is_same(entries[key], states[name])
        }

    def _keep(self, states: dict[str, ObjectState | None], outcomes: dict[str, Outcome]) -> None:
        """Remember what was answered. States are of before the files were read, so a later change is seen."""
        records = []
        for name, state in states.items():
            outcome = outcomes[name]
            if state and isinstance(outcome, Answer) and outcome.model == self._model and is_settled(name):
                entry = Entry(state.key, state.etag, state.size, state.modified)
                records.append(Record(entry, outcome.vector.astype("float32")))
        try:
            self._index.put(records)
        except (TransientError, IndexFileError) as error:
            with self._lock:
                first, self._full = not self._full, True
            if first:
                tell(f"Vectors can't be kept ({error}): the next run sends these pictures again.")


@contextmanager
def remembering(target: Target, names: Sequence[str]) -> Iterator[Target]:
    """A target that remembers what it is answered, where that can be kept and some of the names are files.

    One of them is sent in any case: its answer tells the model, and whether the vectors are still the same.

    Args:
        target: the API behind a URL, by which its vectors are kept, together with the model.
        names: files and URLs that will be asked for.

    Raises:
        Unreachable: nothing usable answers.
    """
    probed = _probe(target, names)
    name, answer = next(
        ((name, one) for name, one in probed.items() if isinstance(one, Answer)), (None, None)
    )
    if name is None or answer is None:
        yield _Told(target, probed) if probed else target
        return
    try:
        path = memory_file(target.url, answer.model)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        index = EmbeddedIndex(path, f"{target.url} {answer.model}")
    except (OSError, TransientError, IndexFileError, RuntimeError) as error:
        tell(f"Vectors can't be kept ({error}): the next run sends everything again.")
        yield _Told(target, probed)
        return
    with index:
        _check(index, name, answer)
        memory = Remembering(target, index, answer.model, probed)
        yield memory
        if memory.known:
            tell(f"{counted(memory.known, 'picture')} known from an earlier run, not sent again.")


class _Told:
    """A target of whose pictures some were sent already."""

    def __init__(self, target: Target, probed: dict[str, Outcome]) -> None:
        self.group, self.url = target.group, target.url
        self._target, self._probed = target, probed
        self.embed, self.compare = target.embed, target.compare

    def embed_many(self, pictures: Sequence[str]) -> list[Outcome]:
        """See `Target.embed_many`."""
        left = [name for name in pictures if name not in self._probed]
        outcomes = self._probed | dict(zip(left, self._target.embed_many(left), strict=True))
        return [outcomes[name] for name in pictures]


def memory_file(url: str, model: str) -> Path:
    """Where the vectors of an API and a model are kept."""
    digest = hashlib.sha256(f"{url}\n{model}".encode()).hexdigest()[:12]
    return data_folder() / f"answers-{digest}.sqlite"


def state_of(store: FileStore, name: str) -> ObjectState | None:
    """The state of a file as it is now; None of a URL, and of what is no regular file."""
    return None if pictures.is_url(name) else store.look(key_of(file_path(name)))


def is_same(entry: Entry, state: ObjectState | None) -> bool:
    """Whether a file is as it was."""
    return state is not None and entry.etag == state.etag


def is_settled(name: str) -> bool:
    """Whether the file was written some time ago."""
    try:
        return time.time() - os.stat(name).st_mtime > SETTLED_SECONDS  # noqa: PTH116 - its name may be no text
    except OSError:
        return False


def _probe(target: Target, names: Sequence[str]) -> dict[str, Outcome]:
    """Send a file, or up to PROBES where they are refused: what has become of each."""
    outcomes: dict[str, Outcome] = {}
    for name in [name for name in names if not pictures.is_url(name)][:PROBES]:
        try:
            outcomes[name] = target.embed(name)
            break
        except (Refused, UnreadablePicture) as error:
            outcomes[name] = error
    return outcomes


def _check(index: EmbeddedIndex, name: str, answer: Answer) -> None:
    """Forget everything where the API gives another vector for a picture than it gave before."""
    state = state_of(FileStore(), name)
    if state is None:
        return
    entry, known = index.get([state.key]).get(state.key), index.vector(state.key)
    if entry is None or known is None or not is_same(entry, state):
        return
    if similarity.score(known, answer.vector) < SAME:
        tell("The API's vectors have changed, but not its model's name: all pictures are sent again.")
        index.delete(list(index.etags()))
