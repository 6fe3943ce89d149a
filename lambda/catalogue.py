"""The Lambda adapter of the catalogue: `index` takes messages from its queue, `answer` API Gateway's calls.

Both are functions of one image, each with its own command.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Protocol

from image_similarity.inference.decoders import processes

decoder = processes.start()  # before the imports below: it forks, and they start threads

from image_similarity.catalogue import events, on_aws
from image_similarity.catalogue.calls import Call, Calls, Services
from image_similarity.catalogue.consumer import Consumer
from image_similarity.catalogue.differences import Differences
from image_similarity.catalogue.indexing import Indexer
from image_similarity.catalogue.messages import Received
from image_similarity.catalogue.on_aws import Parts, Settings
from image_similarity.catalogue.sync import Pace, Sync
from image_similarity.catalogue.telemetry import Lines, by_metric
from image_similarity.inference import runtime
from image_similarity.inference.aws_lambda import answered
from image_similarity.inference.errors import ApiError, StartError
from image_similarity.inference.lambda_environment import encoder_threads, waits_for_the_start
from image_similarity.inference.loading import model_dir
from image_similarity.inference.service import Request, Response, load_encoder
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.telemetry import JsonFormatter
from image_similarity.inference.text.words import Words
from image_similarity.version import __version__

READING = 8
"""Objects that are read, or checked, in parallel."""
MARGIN_SECONDS, MARGIN_SHARE = 60, 0.3
"""The part of the remaining time that is reserved for finishing what was started."""
ALL = [{"itemIdentifier": ""}]
"""With an invalid identifier, Lambda treats the whole batch as failed."""
logger = logging.getLogger(__name__)

runtime.prepare(JsonFormatter())
try:
    settings = Settings.from_environment(os.environ)
    policy = SourcePolicy.from_environment(os.environ)
    encoder = load_encoder(
        os.environ, threads=encoder_threads(os.environ), warm=not waits_for_the_start(os.environ)
    )
except StartError as error:
    sys.exit(error.sentence)
words = Words(model_dir(os.environ), encoder.manifest, threads=encoder_threads(os.environ))
lines = Lines(os.environ)
pool = ThreadPoolExecutor(READING, thread_name_prefix="object")
reader = f"{__version__}/{settings.index}"
# Where a queue counts exactly, as the local run's does, a sync need not wait for its count.
seconds = os.environ.get("CATALOGUE_PACE_SECONDS")
pace = Pace(shortest=int(seconds), settle=int(seconds)) if seconds else Pace()


class Context(Protocol):
    """The part of Lambda's context that is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation."""


def index(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Handle a batch of messages; unfinished ones are named, and are delivered again."""
    try:
        return {"batchItemFailures": _indexed(event["Records"], context)}
    except Exception:  # Lambda would log and pass on the stack trace with everything that it quotes
        logger.exception("a batch could not be handled")
        return {"batchItemFailures": ALL}


def answer(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer a proxy event of one of the catalogue's calls."""
    return answered(event, _Called(event))


def _indexed(records: Sequence[Any], context: Context) -> list[dict[str, str]]:
    start = time.monotonic()
    left = context.get_remaining_time_in_millis() / 1000
    deadline = start + left - min(MARGIN_SECONDS, left * MARGIN_SHARE)
    received: dict[str, Received] = {}
    counts = {"Unreadable": 0, "Foreign": 0}
    failed: list[str] = []
    for record in records:
        identifier: str = record["messageId"]
        try:
            one = _received(record)
        except (events.UnreadableError, LookupError, TypeError, ValueError) as error:
            # The queue counts how often it was received, and then moves it to the dead letters.
            logger.warning("message %s can't be read: %s", identifier, error)
            counts["Unreadable"] += 1
            failed.append(identifier)
            continue
        if one is None:  # from a bucket that is not followed; messages not named as failed are deleted
            counts["Foreign"] += 1
        else:
            received[identifier] = one
    consumer = _consumer()
    unfinished = {one.handle for one in consumer.consume(list(received.values()), deadline)}
    failed += [identifier for identifier, one in received.items() if one.handle in unfinished]
    took = (time.monotonic() - start) * 1000
    lines.batch(context.aws_request_id, len(records), by_metric(consumer.counts) | counts, took)
    return [{"itemIdentifier": identifier} for identifier in failed]


def _received(record: Mapping[str, Any]) -> Received | None:
    """A record as the consumer takes it; None for an event of another bucket."""
    message = events.read(record["body"], settings.buckets)
    if message is None:
        return None
    return Received(record["receiptHandle"], message, int(record["attributes"]["ApproximateReceiveCount"]))


class _Called:
    """One event: which call it is, and whether it is signed, is read where a defect becomes a response."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event

    def handle(self, request: Request) -> Response:
        method, path = str(self._event.get("httpMethod")), str(self._event.get("resource"))
        return _calls().handle(Call(method, path, self._signed(), request))

    def refuse(self, error: ApiError, request_id: str | None) -> Response:
        return _calls().refuse(error, request_id)

    def _signed(self) -> bool:
        """Whether API Gateway names an IAM caller, as it does for calls whose signature it has checked."""
        identity = (self._event.get("requestContext") or {}).get("identity") or {}
        trusted = os.environ.get("CATALOGUE_TRUSTED") == "yes"  # in the local run, the caller is the owner
        return trusted or bool(identity.get("userArn") or identity.get("accountId"))


@cache
def _indexing() -> tuple[Parts, Indexer]:
    parts = on_aws.connect(settings, on_aws.INDEXING)
    indexer = Indexer(
        parts.store, parts.index, parts.ledger, encoder, reader=reader, pool=pool, decoder=decoder
    )
    return parts, indexer


def _consumer() -> Consumer:
    parts, indexer = _indexing()
    return Consumer(indexer, _sync(parts), parts.queue, parts.ledger)


@cache
def _calls() -> Calls:
    parts = on_aws.connect(settings, on_aws.ANSWERING)
    roots = tuple(parts.store.roots)
    services = Services(roots, parts.name, parts.index, parts.ledger, parts.queue, parts.store, _sync(parts))
    return Calls(services, encoder, words, decoder, policy, lines)


def _sync(parts: Parts) -> Sync:
    differences = Differences(parts.store, parts.index, parts.ledger, reader=reader, pool=pool)
    return Sync(differences, parts.ledger, parts.queue, index=parts.name, pace=pace)


# Lambda says which of the two this function is: its clients are made in the init phase too.
PREPARED: Mapping[str, Callable[[], object]] = {"catalogue.index": _indexing, "catalogue.answer": _calls}
if prepare := PREPARED.get(os.environ.get("_HANDLER", "")):
    prepare()


def prepare_all() -> None:
    """Make what both functions need, as a check of the image that is built."""
    for prepare in PREPARED.values():
        prepare()
    if words.available:
        words.encode("a red shirt")
