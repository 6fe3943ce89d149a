"""Uploads pictures and waits until the catalogue has indexed them, with progress."""

import contextlib
import mimetypes
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.pictures.progress import Progress, Say
from local.pictures.selection import Selection

UPLOADS = 4
LOOK_SECONDS = 0.5
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
TOLD = 10
"""Of what was left out or failed, as many are named."""
Client = Any  # boto3's


class Stopped(Exception):
    """The run ends."""


class Filling:
    """Uploads pictures and waits for them, in a thread that any moment may stop.

    Args:
        selection: what is uploaded.
        bucket: where to.
        s3: a client.
        sqs: a client.
        queue_url: of the catalogue's queue.
        call: calls the catalogue: method and path to the answer, as JSON values.
        say: takes lines.
    """

    def __init__(
        self,
        selection: Selection,
        bucket: str,
        *,
        s3: Client,
        sqs: Client,
        queue_url: str,
        call: Callable[[str, str], Any],
        say: Say,
    ) -> None:
        self._selection, self._bucket = selection, bucket
        self._s3, self._sqs, self._queue_url, self._call, self._say = s3, sqs, queue_url, call, say
        self._progress = Progress(len(selection.files), say)
        self._stopped = threading.Event()
        self._uploaded = 0
        self._uploading = threading.Lock()

    def start(self, ended: Callable[[], None]) -> None:
        """Begin; `ended` is called when all is indexed, or can't be."""

        def run() -> None:
            with contextlib.suppress(Stopped):
                self._fill()
                ended()

        threading.Thread(target=run, name="pictures", daemon=True).start()

    def stop(self) -> None:
        """End soon, wherever it is; what it waits for may need the loop that calls this."""
        self._stopped.set()

    def _fill(self) -> None:
        for note in _some(self._selection.notes):
            self._say(note)
        started = time.monotonic()
        try:
            self._upload()
            self._wait_while(self._waiting, "Indexing")
            self._call("POST", "/catalogue/sync")  # nothing is left to index: it says that this is all
            self._wait_while(self._syncing, "Comparing index and bucket", counted=False)
            self._conclude(self._call("GET", "/catalogue"), time.monotonic() - started)
        except Stopped:
            raise
        except Exception as error:  # of the cloud or a function: the API answers, and says more
            self._progress.end()
            if self._stopped.is_set():
                raise Stopped from error
            self._say(f"The pictures are not all indexed: {error}")

    def _upload(self) -> None:
        with ThreadPoolExecutor(UPLOADS) as pool:
            done = [pool.submit(self._put, key, path) for key, path in self._selection.files.items()]
            while not all(future.done() for future in done):
                self._progress.show(self._uploaded, self._waiting(), "Uploading and indexing")
                self._stopped.wait(LOOK_SECONDS)
        for future in done:
            future.result()

    def _put(self, key: str, path: Path) -> None:
        if self._stopped.is_set():
            raise Stopped
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        try:
            with path.open("rb") as body:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=kind)
        except OSError as error:
            self._progress.tell(f"{path}: can't be read: {error.strerror}.")
            return
        except ClientError as error:  # of this object alone: the others are taken
            self._progress.tell(f"{path}: the local S3 does not take it: {error}.")
            return
        with self._uploading:
            self._uploaded += 1

    def _wait_while(self, left: Callable[[], int], doing: str, *, counted: bool = True) -> None:
        while waiting := left():
            self._progress.show(self._uploaded, waiting if counted else 0, doing)
            if self._stopped.wait(LOOK_SECONDS):
                raise Stopped

    def _waiting(self) -> int:
        if self._stopped.is_set():
            raise Stopped
        answer = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=list(COUNTS))
        return sum(int(answer["Attributes"][name]) for name in COUNTS)

    def _syncing(self) -> int:
        state = self._call("GET", "/catalogue")
        return 0 if state["complete"] or (state["lastSync"] or {}).get("state") != "running" else 1

    def _conclude(self, state: Any, seconds: float) -> None:  # noqa: ANN401 - JSON
        self._progress.end()
        total, indexed = len(self._selection.files), self._uploaded - state["failed"]
        rate = indexed / seconds if seconds else 0.0
        self._say(f"{indexed} of {total} pictures are indexed, in {seconds:.0f} s ({rate:.0f} a second).")
        for line in _some([f"  {one['key']}: {one['message']}" for one in state.get("failures", [])]):
            self._say(line)


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:TOLD]
    if len(lines) > TOLD:
        yield f"  and {len(lines) - TOLD} more"
