"""A ledger in an Amazon DynamoDB table.

Partition key `kind`, sort key `id` (both strings), and a local secondary index `newest` with the sort key
`at` (a number), which projects all. Failures are of the kind `failure`, under the hash of their key, since a
sort key ends at 1,024 bytes. How many there are is counted beside them, in one transaction with each that
comes or goes.
"""

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from image_similarity.catalogue.aws_errors import told_apart
from image_similarity.catalogue.index import TransientError, batches
from image_similarity.catalogue.ledger import (
    NEWEST,
    Failure,
    SyncState,
    completes,
    state_from_json,
    state_to_json,
)

Table = Any  # boto3's resource of a table
NEWEST_INDEX = "newest"
BATCH_GET = 100
ATTEMPTS = 8
SERVICE = "DynamoDB"
COUNT = {"kind": "count", "id": "failures"}
CONFLICTS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class DynamoLedger:
    """See `Ledger`."""

    def __init__(self, table: Table) -> None:
        self._table, self._client = table, table.meta.client

    def fail(self, failures: Iterable[Failure]) -> None:
        """See `Ledger.fail`."""
        for failure in failures:
            item = {**_place(failure.key), "at": Decimal(repr(failure.at)), "key": failure.key}
            item |= {"etag": failure.etag, "message": failure.message, "reader": failure.reader}
            self._fail(item)

    def _fail(self, item: dict[str, Any]) -> None:
        """Write a failure: as a new one, which counts, or in place of one that is there, which does not."""
        put = {"TableName": self._table.name, "Item": item}
        for _ in range(ATTEMPTS):  # others write and forget the same key meanwhile
            if self._counted({"Put": {**put, "ConditionExpression": "attribute_not_exists(id)"}}, 1):
                return
            try:
                with told_apart(SERVICE):
                    self._client.put_item(**put, ConditionExpression="attribute_exists(id)")
            except self._client.exceptions.ConditionalCheckFailedException:
                continue
            return
        raise TransientError("the ledger: too many write one key")

    def forget(self, keys: Iterable[str]) -> None:
        """See `Ledger.forget`."""
        for key in keys:
            gone = {"TableName": self._table.name, "Key": _place(key)}
            self._counted({"Delete": {**gone, "ConditionExpression": "attribute_exists(id)"}}, -1)

    def _counted(self, change: dict[str, Any], by: int) -> bool:
        """Make a conditional change and count it, both or neither; whether the condition held."""
        count = {
            "TableName": self._table.name,
            "Key": COUNT,
            "UpdateExpression": "ADD failures :by",
            "ExpressionAttributeValues": {":by": by},
        }
        with told_apart(SERVICE):
            return self._transacted([change, {"Update": count}])

    def _transacted(self, items: list[dict[str, Any]]) -> bool:
        for _ in range(ATTEMPTS):  # all workers count at one place
            try:
                self._client.transact_write_items(TransactItems=items)
            except self._client.exceptions.TransactionCanceledException as error:
                codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in codes:
                    return False
                if not codes & CONFLICTS:
                    raise
                continue
            return True
        raise TransientError("the ledger: too many at once")

    def known(self, keys: Iterable[str]) -> dict[str, Failure]:
        """See `Ledger.known`."""
        found: dict[str, Failure] = {}
        for batch in batches((_place(key) for key in dict.fromkeys(keys)), BATCH_GET):
            asked: dict[str, Any] = {self._table.name: {"Keys": batch, "ConsistentRead": True}}
            for _ in range(ATTEMPTS):
                with told_apart(SERVICE):
                    answer = self._client.batch_get_item(RequestItems=asked)
                items = answer["Responses"].get(self._table.name, [])
                found |= {item["key"]: _failure(item) for item in items}
                asked = answer.get("UnprocessedKeys") or {}
                if not asked:
                    break
            else:
                raise TransientError("the ledger: keys stay unprocessed")
        return found

    def newest(self, limit: int = NEWEST) -> list[Failure]:
        """See `Ledger.newest`."""
        answer = self._query(IndexName=NEWEST_INDEX, ScanIndexForward=False, Limit=limit)
        return sorted(map(_failure, answer["Items"]), key=lambda failure: (-failure.at, failure.key))

    def failed(self) -> int:
        """See `Ledger.failed`."""
        return int(self._item(COUNT).get("failures", 0))

    def page(self, token: str = "") -> tuple[list[Failure], str]:
        """See `Ledger.page`."""
        after = {"ExclusiveStartKey": {"kind": "failure", "id": token}} if token else {}
        answer = self._query(**after)
        last = answer.get("LastEvaluatedKey", {}).get("id", "")
        return [_failure(item) for item in answer["Items"]], last

    def sync(self) -> SyncState | None:
        """See `Ledger.sync`."""
        return self._state("last")

    def completed(self) -> SyncState | None:
        """See `Ledger.completed`."""
        return self._state("completed")

    def save(self, state: SyncState, instead_of: SyncState | None) -> bool:
        """See `Ledger.save`."""
        from boto3.dynamodb.conditions import Attr

        unchanged = Attr("id").not_exists() if instead_of is None else Attr("state").eq(_text(instead_of))
        try:
            with told_apart(SERVICE):
                if completes(state):  # first: whatever comes of the other item, this run was done
                    self._table.put_item(Item=_item("completed", state))
                self._table.put_item(Item=_item("last", state), ConditionExpression=unchanged)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _state(self, name: str) -> SyncState | None:
        item = self._item({"kind": "sync", "id": name})
        return state_from_json(json.loads(item["state"])) if item else None

    def _item(self, place: dict[str, str]) -> dict[str, Any]:
        with told_apart(SERVICE):
            found: dict[str, Any] = self._table.get_item(Key=place, ConsistentRead=True).get("Item", {})
        return found

    def _query(self, **narrowed: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's
        from boto3.dynamodb.conditions import Key

        with told_apart(SERVICE):
            answer: dict[str, Any] = self._table.query(
                KeyConditionExpression=Key("kind").eq("failure"), ConsistentRead=True, **narrowed
            )
        return answer


def _place(key: str) -> dict[str, str]:
    return {"kind": "failure", "id": hashlib.sha256(key.encode()).hexdigest()}


def _failure(item: dict[str, Any]) -> Failure:
    return Failure(item["key"], item["etag"], item["message"], item["reader"], float(item["at"]))


def _text(state: SyncState) -> str:
    return json.dumps(state_to_json(state), sort_keys=True)


def _item(name: str, state: SyncState) -> dict[str, str]:
    return {"kind": "sync", "id": name, "state": _text(state)}
