from typing import Any

import numpy as np
import pytest

from image_similarity.catalogue import rows
from image_similarity.catalogue.rows import Rows


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK", 8)
    monkeypatch.setattr(rows, "PART", 3)
    monkeypatch.setattr(rows, "GROUP", 4)


@pytest.mark.slow
def test_rows_over_blocks_and_gaps() -> None:
    chance = np.random.default_rng(0)
    kept = Rows()
    expected: dict[Any, Any] = {}
    for _ in range(200):
        slots = np.sort(chance.choice(40, size=chance.integers(1, 9), replace=False)).tolist()
        changed = {
            slot: None if chance.random() < 0.3 else chance.standard_normal(512).astype(np.float32)
            for slot in slots
        }
        kept.take((slot, None if one is None else one.tobytes()) for slot, one in changed.items())
        expected |= changed
        present = {slot: one / np.linalg.norm(one) for slot, one in expected.items() if one is not None}
        query = chance.standard_normal(512).astype(np.float32)
        limit = int(chance.integers(1, 6))
        found = kept.candidates(query, limit, 1e-5)
        best = sorted(present, key=lambda slot: -float(present[slot] @ query))[:limit]
        assert set(best) <= set(found.tolist()) <= set(present)
        only = np.array(slots)
        chosen = kept.candidates(query, limit, 1e-5, only)
        assert set(chosen.tolist()) <= set(slots) & set(present)
        assert len(chosen) >= min(limit, len(set(slots) & set(present)))
    assert Rows().candidates(query, 3, 1e-5).tolist() == []
