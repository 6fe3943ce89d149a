"""What a deployment fetches, and how much of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MIB = 1024**2


@dataclass(frozen=True)
class SourcePolicy:
    """The limits of fetching.

    Attributes:
        buckets: names of the buckets that `s3://` may read.
        allow_private: also fetch from loopback and private addresses and from any port. For tests and local
            work only: it opens the machine's own services to whoever may call.
        max_bytes: the most that one file may have.
        timeout_seconds: for all fetching of one request together.
    """

    buckets: frozenset[str] = field(default_factory=frozenset)
    allow_private: bool = False
    max_bytes: int = 20 * MIB
    timeout_seconds: float = 10.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "SourcePolicy":
        """Read IMAGE_BUCKETS (names separated by commas) and ALLOW_PRIVATE_SOURCES (1 switches it on)."""
        names = (name.strip() for name in environ.get("IMAGE_BUCKETS", "").split(","))
        return cls(
            buckets=frozenset(name for name in names if name),
            allow_private=environ.get("ALLOW_PRIVATE_SOURCES") == "1",
        )
