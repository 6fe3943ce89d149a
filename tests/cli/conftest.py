"""Pictures to work on, and an index for each test."""

from tests.support.command import own_index  # noqa: F401 - a fixture
from tests.support.pictures import folder  # noqa: F401 - a fixture
