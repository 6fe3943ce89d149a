"""What keeps the inner loop quick."""

from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_loader_of_service_models() -> Iterator[None]:
    """Parse each AWS service's model once: every client that a test makes would do it again (0.1 s)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield
