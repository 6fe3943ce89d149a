"""What one image may cost, and which function decodes it."""

import json
from dataclasses import asdict, dataclass

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """The budget of one image.

    Attributes:
        processor_seconds: processor time, user and system together. The kernel ends a decoder that takes
            more, whatever it is doing.
        clock_seconds: elapsed time, for a decoder that hangs without using the processor. Time in which this
            process was frozen (AWS Lambda) does not count. It is long because a busy machine stretches it.
        memory_bytes: address space on top of what a decoder has at its start. The costliest accepted
            picture, a PNG of 4096 x 4096 pixels, takes two thirds of it.
        function: `module:function` that decodes, with the signature of `inference.image.decode`.
    """

    processor_seconds: float = 2.0
    clock_seconds: float = 15.0
    memory_bytes: int = 384 * MEBIBYTE
    function: str = "image_similarity.inference.image:decode"

    def to_json(self) -> str:
        """For the command line of a new process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Limits":
        """What `to_json` wrote."""
        return cls(**json.loads(text))
