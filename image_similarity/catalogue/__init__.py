"""Pictures of buckets or folders: indexed, searched, deleted.

`index` says what an index is; `s3_vectors` and `embedded` are the two that exist. `indexing` makes the index
agree with the pictures whose keys it is given, `sync` finds those keys, `consumer` takes both from a queue,
`search` and `status` read. What they need of the world is in `objects` (the pictures), `messages` (the queue)
and `ledger` (what failed for good, and the last sync).
"""
