"""Amazon S3 Vectors: the operations on vectors, exact. Buckets and indexes themselves are moto's."""

import base64
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any, Literal
from weakref import WeakKeyDictionary

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3vectors.models import Index, s3vectors_backends
from werkzeug.wrappers import Request, Response

from local.backends.cloud import vector_rules as rules
from local.backends.cloud.shelf import Shelf, Vector
from local.backends.cloud.vector_filters import Filter
from local.backends.cloud.vector_rules import Refusal

Mode = Literal["CLASSIC", "ENHANCED"]
Body = dict[str, Any]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Vectors:
    """Answers as `https://s3vectors.REGION.api.aws` does.

    Attributes:
        mode: of the indexes: those that are made since 2026-09-30 filter first and know $startsWith.
        refuse_next: errors that the next calls get, whatever they ask, such as a throttling.
    """

    def __init__(self, mode: Mode = "ENHANCED") -> None:
        self.mode: Mode = mode
        self.refuse_next: list[Refusal] = []
        self._shelves: WeakKeyDictionary[Index, Shelf] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._operations: dict[str, Callable[[Body], Body]] = {
            "CreateIndex": self._create_index,
            "PutVectors": self._put,
            "DeleteVectors": self._delete,
            "GetVectors": self._get,
            "ListVectors": self._list,
            "QueryVectors": self._query,
        }

    def answer(self, environ: dict[str, Any]) -> Application | None:
        """The answer to a request, as a WSGI application; None for what is not ours to answer."""
        operation = self._operations.get(environ["PATH_INFO"].removeprefix("/"))
        if operation is None or environ["REQUEST_METHOD"] != "POST":
            return None
        request = Request(environ)
        try:
            with self._lock:
                if self.refuse_next:
                    raise self.refuse_next.pop(0)
                content = operation(rules.body(request.get_data()))
        except Refusal as refusal:
            return refused(refusal)
        return Response(json.dumps(content), content_type="application/json")

    def _shelf(self, asked: Body) -> Shelf:
        index = find_index(asked)
        return self._shelves.setdefault(index, Shelf(frozenset()))

    def _create_index(self, asked: Body) -> Body:
        rules.creation(asked)
        backend = s3vectors_backends[DEFAULT_ACCOUNT_ID]["aws"]
        with moto_refusals():
            bucket = backend.get_vector_bucket(asked.get("vectorBucketName"), asked.get("vectorBucketArn"))
            if any(index.index_name == asked["indexName"] for index in bucket.indexes.values()):
                raise Refusal(409, "ConflictException", "An index with the specified name already exists")
            backend.create_index(
                bucket.vector_bucket_name,
                bucket.vector_bucket_arn,
                asked["indexName"],
                asked["dataType"],
                asked["dimension"],
                asked["distanceMetric"],
                asked.get("tags"),
            )
        index = find_index({"vectorBucketName": bucket.vector_bucket_name, "indexName": asked["indexName"]})
        unfiltered = asked.get("metadataConfiguration", {}).get("nonFilterableMetadataKeys", [])
        self._shelves[index] = Shelf(frozenset(unfiltered))
        return {"indexArn": index.index_arn}

    def _put(self, asked: Body) -> Body:
        index, shelf = find_index(asked), self._shelf(asked)
        rules.put(asked, index.dimension, index.distance_metric, shelf.unfiltered)
        shelf.put(asked["vectors"])
        return {}

    def _delete(self, asked: Body) -> Body:
        shelf = self._shelf(asked)
        rules.keys(asked, rules.MAX_PUT)
        shelf.delete(asked["keys"])
        return {}

    def _get(self, asked: Body) -> Body:
        shelf = self._shelf(asked)
        rules.keys(asked, rules.MAX_GET)
        return {"vectors": [written(one, asked) for key in asked["keys"] if (one := shelf.get(key))]}

    def _list(self, asked: Body) -> Body:
        shelf = self._shelf(asked)
        rules.listing(asked)
        page, token = shelf.page(
            after=untoken(asked.get("nextToken"), ""),
            most=asked.get("maxResults", rules.DEFAULT_PAGE),
            segment=asked.get("segmentIndex", 0),
            segments=asked.get("segmentCount", 1),
        )
        answer: Body = {"vectors": [written(one, asked) for one in page]}
        return answer | ({"nextToken": tokened(token)} if token else {})

    def _query(self, asked: Body) -> Body:
        index, shelf = find_index(asked), self._shelf(asked)
        vector = rules.query(asked, index.dimension, index.distance_metric)
        enhanced = "ENHANCED" in {self.mode, asked.get("queryMode")}
        chosen = Filter(asked.get("filter"), shelf.unfiltered, prefixes=enhanced)
        nearest = shelf.nearest(vector, asked["topK"], index.distance_metric, chosen.matches)
        start = untoken(asked.get("nextToken"), 0)
        page = nearest[start : start + rules.QUERY_PAGE]
        answer: Body = {"distanceMetric": index.distance_metric, "vectors": []}
        for one, distance in page:
            hit = written(one, {"returnMetadata": asked.get("returnMetadata")})
            answer["vectors"].append(hit | ({"distance": distance} if asked.get("returnDistance") else {}))
        following = start + len(page)
        return answer | ({"nextToken": tokened(following)} if following < len(nearest) else {})


def find_index(asked: Body) -> Index:
    """Moto's index that a request names; the refusal of AWS where there is none."""
    name, bucket, arn = (asked.get(field) for field in ("indexName", "vectorBucketName", "indexArn"))
    if bool(arn) == bool(name and bucket):
        raise rules.invalid("Must specify either indexArn or both vectorBucketName and indexName")
    with moto_refusals():
        return s3vectors_backends[DEFAULT_ACCOUNT_ID]["aws"].get_index(bucket or "", name or "", arn or "")


class moto_refusals:  # noqa: N801 - read as a statement
    """Turns errors of moto's own into refusals."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        from moto.core.exceptions import ServiceException

        if isinstance(error, ServiceException):
            status = 404 if error.code == "NotFoundException" else 400
            raise Refusal(status, error.code, error.message) from error


def written(vector: Vector, asked: Body) -> Body:
    """A vector with what was asked for of it."""
    answer: Body = {"key": vector.key}
    if asked.get("returnData"):
        answer["data"] = {"float32": vector.data.tolist()}
    if asked.get("returnMetadata"):
        answer["metadata"] = vector.metadata
    return answer


def refused(refusal: Refusal) -> Response:
    """The answer as botocore reads it."""
    return Response(
        json.dumps({"message": refusal.message}),
        status=refusal.status,
        content_type="application/json",
        headers={"x-amzn-ErrorType": refusal.code},
    )


def tokened(place: object) -> str:
    """A place in a list, for a client to give back."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def untoken(token: str | None, start: Any) -> Any:  # noqa: ANN401 - a place in a list or among matches
    """The place of a token; `start` where there is none."""
    if token is None:
        return start
    try:
        place = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise rules.invalid("Invalid nextToken") from None
    if type(place) is not type(start):
        raise rules.invalid("Invalid nextToken")
    return place
