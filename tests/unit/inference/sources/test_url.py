"""URLs that are not what they seem, each refused before anything is looked up or connected to."""

import json
from pathlib import Path

import pytest

from image_similarity.inference.errors import SourceNotAllowed
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.sources.url import MAX_URL_CHARACTERS, Target, parse

POLICY = SourcePolicy()
CONTROLS = [chr(code) for code in (*range(0x20), 0x20, 0x7F, 0x80, 0x85, 0x9F)]

GOOD = {
    "http://example.com": Target("http", "example.com", None, 80, "/"),
    "https://example.com/": Target("https", "example.com", None, 443, "/"),
    "HTTPS://EXAMPLE.com/A?b#c": Target("https", "example.com", None, 443, "/A?b"),
    "http://example.com:443/": Target("http", "example.com", None, 443, "/"),
    "https://example.com:80/": Target("https", "example.com", None, 80, "/"),
    "https://example.com./": Target("https", "example.com.", None, 443, "/"),
    "https://xn--bcher-kva.example/": Target("https", "xn--bcher-kva.example", None, 443, "/"),
    "https://my_bucket.s3.amazonaws.com/a": Target("https", "my_bucket.s3.amazonaws.com", None, 443, "/a"),
    "https://1and1.com/": Target("https", "1and1.com", None, 443, "/"),
    "https://127.0.0.1.nip.io/": Target("https", "127.0.0.1.nip.io", None, 443, "/"),
    "https://a.com/%2e%2e/%00?%0d%0a": Target("https", "a.com", None, 443, "/%2e%2e/%00?%0d%0a"),
    'https://a.com/"<>^`{|}': Target("https", "a.com", None, 443, "/%22%3C%3E%5E%60%7B%7C%7D"),
    "https://a.com/?u=http://b@c:1/": Target("https", "a.com", None, 443, "/?u=http://b@c:1/"),
}


@pytest.mark.parametrize("url", GOOD)
def test_taken_apart(url: str) -> None:
    assert parse(url, POLICY) == GOOD[url]


CORPUS: dict[str, list[str]] = json.loads(
    Path(__file__, "../../../../data/security/refused_urls.json").resolve().read_text()
)
PLACES = ("https://a.com/{}x", "https://a{}.com/", "{}https://a.com/")
LONG = "https://a.com/" + "x" * MAX_URL_CHARACTERS
REFUSED = [
    *(url for urls in CORPUS.values() for url in urls),
    LONG,
    *(place.format(control) for place in PLACES for control in CONTROLS),
]
DISTINCT = [
    *(url for urls in CORPUS.values() for url in urls),
    LONG,
    *(PLACES[index % len(PLACES)].format(control) for index, control in enumerate(CONTROLS)),
]
"""The same without the repetitions: each control character in one of its places."""


def test_a_url_has_8192_characters_at_most() -> None:
    assert parse(LONG[:8192], POLICY).path == LONG[len("https://a.com") : 8192]
    with pytest.raises(SourceNotAllowed, match="8192"):
        parse(LONG[:8193], POLICY)


@pytest.mark.parametrize("url", REFUSED, ids=range(len(REFUSED)))
def test_refused(url: str) -> None:
    with pytest.raises(SourceNotAllowed) as caught:
        parse(url, POLICY)
    message = caught.value.message
    assert "password" not in message
    assert message.isprintable()


def test_the_corpus_is_large_and_distinct() -> None:
    assert len(set(REFUSED)) == len(REFUSED) > 200


@pytest.mark.parametrize("port", [1, 8080, 65535])
def test_private_sources_open_every_port(port: int) -> None:
    allowed = SourcePolicy(allow_private=True)
    assert parse(f"http://127.0.0.1:{port}/", allowed).port == port


def test_private_sources_open_no_port_that_is_none() -> None:
    for port in ("0", "65536", "99999"):
        with pytest.raises(SourceNotAllowed):
            parse(f"http://127.0.0.1:{port}/", SourcePolicy(allow_private=True))
