"""What AWS's answers mean for the catalogue: refused, may pass, or a defect or a missing permission."""

from collections.abc import Iterator
from contextlib import contextmanager

from image_similarity.catalogue.index import TransientError

REFUSED = "ValidationException"
PASSING = frozenset(
    {
        *("TooManyRequestsException", "ServiceUnavailableException", "InternalServerException"),
        *(
            "RequestTimeoutException",
            "RequestTimeout",
            "SlowDown",
            "RequestThrottled",
            "RequestLimitExceeded",
        ),
        *("ThrottlingException", "Throttling", "ProvisionedThroughputExceededException"),
        *("TransactionInProgressException", "TransactionConflictException", "OperationAborted"),
    }
)


class RefusedError(Exception):
    """The service finds the request wrong, and would again."""


@contextmanager
def told_apart(service: str) -> Iterator[None]:
    """Raises RefusedError and TransientError for what botocore raises, and everything else as it is."""
    from botocore.exceptions import ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as NotConnectedError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "")
        if code == REFUSED:
            raise RefusedError(error.response["Error"].get("Message", code)) from error
        if code in PASSING or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
            raise TransientError(f"{service}: {code}") from error
        raise
    except (HTTPClientError, NotConnectedError) as error:
        raise TransientError(f"{service}: {error}") from error
