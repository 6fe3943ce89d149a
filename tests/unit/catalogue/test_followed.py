"""What is told of buckets that are not followed."""

import pytest

from image_similarity.catalogue import followed
from image_similarity.inference.errors import InvalidRequest, NotFound

ROOTS = ("s3://photos/", "s3://albums/")


@pytest.mark.parametrize("name", ["s3://photos/", "s3://photos/a", "s3://albums/2026/"])
def test_what_is_followed_passes(name: str) -> None:
    followed.check_prefix(name, ROOTS)
    followed.check_key(name, ROOTS)


@pytest.mark.parametrize(
    ("count", "named"),
    [
        (0, "it has none."),
        (1, "it has b0."),
        (10, "it has b0, b1, b2, b3, b4, b5, b6, b7, b8, b9."),
        (12, "b8, b9, 2 more (GET /catalogue lists all)."),
    ],
)
def test_a_message_names_ten_buckets_at_most(count: int, named: str) -> None:
    roots = [f"s3://b{number}/" for number in range(count)]
    with pytest.raises(InvalidRequest) as prefix:
        followed.check_prefix("s3://other/cats/", roots)
    with pytest.raises(NotFound) as key:
        followed.check_key("s3://other/cats/1.jpg", roots)
    for message in (prefix.value.message, key.value.message):
        assert message.startswith('"other" is no bucket of this catalogue; ')
        assert named in message


def test_what_is_no_key_is_told_what_one_is() -> None:
    with pytest.raises(NotFound, match="send s3://bucket/key, as matches have it"):
        followed.check_key("cats/1.jpg", ROOTS)
