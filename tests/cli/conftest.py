"""Pictures to work on."""

from tests.support.pictures import folder  # noqa: F401 - a fixture
