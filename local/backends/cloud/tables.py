"""Amazon DynamoDB where moto does otherwise, mended in moto's own class.

A transaction that fails changes nothing. moto's puts back a copy of the whole table, and with it takes back
what others wrote meanwhile.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""

import threading

from moto.dynamodb.models import DynamoDBBackend

from local.backends.cloud.locking import locked

WRITES = ("put_item", "update_item", "delete_item", "transact_write_items")
_lock = threading.RLock()


def mend() -> None:
    """Mend moto in this process, once."""
    for name in WRITES:
        setattr(DynamoDBBackend, name, locked(_lock, getattr(DynamoDBBackend, name)))
