"""Which bytes a production build may take from the network. Written by `make pin`, never by hand."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

PINS_FILE = Path(__file__).with_name("pins.json")
LAMBDA_BASE = "public.ecr.aws/lambda/python:3.12"
PYTHON_BASE = "public.ecr.aws/docker/library/python:3.12-slim-bookworm"


class PinError(Exception):
    """Something is not pinned, or differs from what was pinned; the message says what to do."""


@dataclass(frozen=True)
class Weights:
    """One checkpoint: from the model hub, from a URL, or a file of your own.

    repository: on the hub; None for a URL, or for a file under checkpoints/.
    file, sha256 (of the file) and, from the hub, revision (a commit): None until pinned.
    url: where a file lies that is in no repository of the hub.
    int8: the scheme that int8 artifacts of these weights are made with; None until pinned.
    """

    repository: str | None
    file: str | None = None
    revision: str | None = None
    sha256: str | None = None
    url: str | None = None
    int8: str | None = None

    @property
    def pinned(self) -> bool:
        """Whether a build may use it."""
        return None not in (self.file, self.sha256) and (self.revision is None) == (self.repository is None)

    @property
    def own(self) -> bool:
        """Whether it is a file of yours, which nothing downloads."""
        return self.repository is None and self.url is None


@dataclass(frozen=True)
class Pins:
    """Digests of base images by name (None: not pinned yet), and weights by `model/tag`."""

    bases: dict[str, str | None]
    weights: dict[str, Weights]

    @classmethod
    def load(cls, file: Path = PINS_FILE) -> "Pins":
        """Read the pins file."""
        content = json.loads(file.read_text(encoding="utf-8"))
        weights = {name: Weights(**entry) for name, entry in content["weights"].items()}
        return cls(dict(content["bases"]), weights)

    def save(self, file: Path = PINS_FILE) -> None:
        """Write the pins file, in an order that does not depend on how the pins were made."""
        file.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    def only_tag(self, model: str) -> str | None:
        """The tag of a model whose weights come from a URL: it has no others. None for any other model."""
        tags = [
            name.removeprefix(f"{model}/")
            for name, entry in self.weights.items()
            if entry.url and name.startswith(f"{model}/")
        ]
        return tags[0] if len(tags) == 1 else None

    def base(self, name: str) -> str:
        """The base image as a build argument, with its digest if it is pinned."""
        digest = self.bases[name]
        return f"{name}@{digest}" if digest else name
