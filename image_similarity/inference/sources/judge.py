"""What is known of a source before anything is sent: its bytes, or how to fetch them."""

from dataclasses import dataclass
from functools import partial

from image_similarity.inference.errors import naming
from image_similarity.inference.request import Kind, Source
from image_similarity.inference.sources import inline, s3, url
from image_similarity.inference.sources.allowance import Allowance
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.fetch import Read
from image_similarity.inference.sources.policy import SourcePolicy


@dataclass(frozen=True, slots=True)
class Fetchable:
    """A file that may be fetched.

    Attributes:
        read: fetches it.
        server: the host's name; None for S3, which takes any number of fetches.
    """

    read: Read
    server: str | None


def judged(source: Source, policy: SourcePolicy) -> bytes | Fetchable:
    """The bytes of a source in the request; how to fetch any other, once it is clear that it may be.

    Raises:
        InvalidImage: the value is not base64.
        PayloadTooLarge: the value has more than policy.max_bytes.
        SourceNotAllowed: the policy forbids fetching from the URL.
    """
    with naming(source.field):
        if source.kind is Kind.WEB:
            target = url.parse(source.value, policy)
            return Fetchable(partial(_from_web, target, policy), target.host)
        if source.kind is Kind.S3:
            return Fetchable(partial(s3.read, s3.parse(source.value, policy), policy), None)
        return inline.read(source, policy)


def _from_web(target: url.Target, policy: SourcePolicy, deadline: Deadline, allowance: Allowance) -> bytes:
    from image_similarity.inference.sources import http  # HTTP and TLS are two fifths of the imports

    return http.read(target, policy, deadline, allowance)
