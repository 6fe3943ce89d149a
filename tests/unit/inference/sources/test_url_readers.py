"""Our reading of thousands of URLs beside that of others: a library against SSRF, and two HTTP clients.

What the library refuses and we fetch, and what we refuse and it would fetch, is explained row by row.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from functools import cache

import httpx
import pytest
import ssrfguard
import urllib3

from image_similarity.inference.addresses import blocked_by
from image_similarity.inference.errors import SourceNotAllowed
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.sources.url import DEFAULT_PORTS, Target, parse
from tests.support.url_corpus import urls
from tests.unit.inference.sources.test_url import GOOD, REFUSED

pytestmark = pytest.mark.slow

POLICY, THEIRS = SourcePolicy(), ssrfguard.Policy()
Judge = Callable[[str, ssrfguard.Target | Target], object]


@cache
def corpus() -> list[str]:
    return [*GOOD, *REFUSED, *urls(30_000)]


def authority(url: str) -> str:
    return re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]


def within(network: str) -> Judge:
    return lambda _, target: target.address and target.address in ipaddress.ip_network(network)


WE_TAKE: dict[str, Judge] = {
    "an underscore, which names in use have (and S3 buckets of old)": lambda _, target: "_" in target.host,
    "253 characters and the dot of the root, which DNS carries": lambda _, target: len(target.host) == 254,
}
WE_REFUSE: dict[str, Judge] = {
    "a backslash, which browsers read as a slash": lambda url, _: "\\" in url,
    "C1 control characters, white space to some": lambda url, _: re.search("[\x80-\x9f]", url),
    "half a surrogate pair, which has no UTF-8": lambda url, _: re.search("[\ud800-\udfff]", url),
    "a name that is not ASCII: its xn-- form depends on the version of IDNA": (
        lambda url, _: not authority(url).isascii()
    ),
    "something beside the brackets, or IPv4 in them, which urllib drops": (
        lambda url, _: (
            re.search(r"[][]", authority(url)) and not re.match(r"\[[^].]*:[^]]*](:|$)", authority(url))
        )
    ),
    "a colon without a port": lambda url, _: authority(url).endswith(":"),
    "a port of more than five digits": lambda url, _: re.search(r":0\d{5,}$", authority(url)),
    "a number as last label: inet_aton reads 0x7f.1 as an address": (
        lambda _, target: re.search(r"(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$", target.host) and not target.address
    ),
    "a hyphen at an end of the last label (RFC 1123)": lambda _, target: re.search(r"\.-|-\.?$", target.host),
    "AS112, which answers for private names": within("192.31.196.0/24"),
    "AS112, delegated directly": within("192.175.48.0/24"),
    "AS112 over IPv6": within("2620:4f:8000::/48"),
    "AMT relays": within("192.52.193.0/24"),
    "6to4, whatever is in it": within("2002::/16"),
    "Teredo, whatever is in it": within("2001::/32"),
    "ISATAP around an address that is refused": within("2001:470::5efe:0:0/96"),
    "IPv4-compatible and IPv4-translated, whatever is in them": within("::/64"),
    "the first unassigned eighth of IPv6": within("::/3"),
    "the other unassigned parts of IPv6": within("4000::/2"),
    "their upper half": within("8000::/1"),
}


def ours(url: str) -> Target | None:
    try:
        target = parse(url, POLICY)
    except SourceNotAllowed:
        return None
    return None if target.address and blocked_by(target.address) else target


def theirs(url: str) -> ssrfguard.Target | None:
    try:
        return THEIRS.check_url(url)
    except ssrfguard.SSRFGuardError:
        return None


def test_no_url_passes_here_that_a_maintained_library_refuses() -> None:
    """Both are asked about every URL, and every disagreement has its row."""
    rows, outcomes, unexplained = Counter[str](), Counter[tuple[bool, bool]](), []
    for url in corpus():
        here, there = ours(url), theirs(url)
        outcomes[bool(here), bool(there)] += 1
        if here and there:
            assert (here.scheme, here.port, here.address) == (there.scheme, there.port, there.address), url
            assert here.host == there.host, url
        elif target := here or there:
            table = WE_TAKE if here else WE_REFUSE
            row = next((reason for reason, explains in table.items() if explains(url, target)), None)
            rows[row or "unexplained"] += 1
            if row is None:
                unexplained.append((url, target))
    print(f"\n{len(corpus())} URLs, (here, there): {dict(outcomes)}", *rows.items(), sep="\n")
    assert not unexplained
    assert min(outcomes.values()) > 1000
    assert outcomes[True, True] > 5000
    dead = {*WE_TAKE, *WE_REFUSE} - set(rows)
    assert all("brackets" in row for row in dead)  # later Pythons refuse these for everybody


def urllib3_reads(url: str) -> tuple[str | None, str, int | None]:
    read = urllib3.util.parse_url(url)
    return read.scheme, (read.host or "").strip("[]"), read.port


def httpx_reads(url: str) -> tuple[str | None, str, int | None]:
    read = httpx.URL(url)
    return read.scheme, read.raw_host.decode(), read.port


@pytest.mark.parametrize("reads", [urllib3_reads, httpx_reads])
def test_clients_would_go_to_the_same_host(
    reads: Callable[[str], tuple[str | None, str, int | None]],
) -> None:
    fetched = [(url, target) for url in corpus() if (target := ours(url))]
    assert len(fetched) > 5000
    for url, target in fetched:
        scheme, host, port = reads(url)
        assert (scheme, host.lower(), port or DEFAULT_PORTS[target.scheme]) == (
            target.scheme,
            target.host,
            target.port,
        )
