"""What boto3 raises, as the checks know it."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from verify.facts import CloudFailed

ABSENT = frozenset(
    {
        "NotFoundException",
        "ResourceNotFoundException",
        "NoSuchEntity",
        "ResourceNotFound",
        "ObjectNotFoundException",
        "QueueDoesNotExist",
        "NoSuchBucket",
    }
)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Raise what boto3 raises as CloudFailed, with what was being done."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CloudFailed(f"{what}: {error}") from error


def absent(error: ClientError) -> bool:
    """Whether a service says that something is not there; SageMaker says so in the message alone."""
    code, text = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return (
        code in ABSENT
        or (code == "ValidationException" and "ould not find" in text)
        or "does not exist" in text
    )
