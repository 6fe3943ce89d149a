"""A search in the embedded index as a handler, which `worker.py` loads: of the tree that PYTHONPATH names."""

import tempfile
from pathlib import Path

import numpy as np

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Entry, Record
from image_similarity.inference.manifest import DIMENSIONS

VECTORS, PART, TOP = 50_000, 1000, 10

_chance = np.random.default_rng(0)
_folder = tempfile.TemporaryDirectory(prefix="bench-search-")
_index = EmbeddedIndex(Path(_folder.name, "index.sqlite"), "search")
for _part in range(VECTORS // PART):
    _rows = _chance.normal(size=(PART, DIMENSIONS)).astype(np.float32)
    _rows /= np.linalg.norm(_rows, axis=1, keepdims=True)
    _entries = (
        Entry(f"s3://pictures/{_part}/{place}.jpg", f"{place:032x}", 954_000, "2026-11-26T00:00:00Z")
        for place in range(PART)
    )
    _index.put([Record(entry, row) for entry, row in zip(_entries, _rows, strict=True)])


def handler(_event: object, _context: object) -> dict[str, object]:
    """Search for another vector each time."""
    matches = _index.query(_chance.normal(size=DIMENSIONS).astype(np.float32), TOP)
    return {"statusCode": 200 if len(matches) == TOP else 500, "body": f"{len(matches)} matches"}
