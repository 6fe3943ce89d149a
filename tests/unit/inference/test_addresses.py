"""The table of addresses: each row by its edges, and the whole against another library's table."""

import random
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
import ssrfguard

from image_similarity.inference.addresses import BLOCKED, Address, Block, blocked_by

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "52.95.128.1",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
]
PUBLIC += [
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "9.9.9.9",
]
PUBLIC += ["2606:4700:4700::1111", "2001:4860:4860::8888", "2600:9000::1", "2a00:1450::1", "2001:200::1"]
PUBLIC += ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:470:0:1:0:5efe:8.8.8.8"]
REFUSED = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "0.0.0.0": "this network",
    "10.0.0.1": "private",
    "169.254.169.254": "metadata",
    "169.254.170.2": "metadata",
    "100.64.0.1": "carriers",
    "100.100.100.200": "carriers",
    "255.255.255.255": "broadcast",
    "224.0.0.1": "multicast",
    "::1": "loopback",
    "::": "no global unicast",
    "::127.0.0.1": "IPv4-compatible",
    "::169.254.169.254": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "metadata",
    "::ffff:0:169.254.169.254": "no global unicast",
    "64:ff9b::169.254.169.254": "metadata",
    "64:ff9b::10.1.2.3": "private",
    "64:ff9b:1::a9fe:a9fe": "no global unicast",
    "2002:a9fe:a9fe::1": "6to4",
    "2002:7f00:1::": "6to4",
    "2001:0:5601:5601::5601:5601": "Teredo",
    "2001:470::5efe:127.0.0.1": "loopback",
    "2001:470::200:5efe:10.0.0.1": "private",
    "fd00:ec2::254": "metadata",
    "fd00:ec2::23": "metadata",
    "fd12:3456::1": "unique local",
    "fe80::1": "link local",
    "fe80::1%eth0": "link local",
    "fec0::1": "site local",
    "ff02::1": "multicast",
    "5f00::1": "segment routing",
    "3fff::1": "documentation",
    "100::1": "no global unicast",
    "100:0:0:1::1": "no global unicast",
    "2001:db8::1": "documentation",
}


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    assert blocked_by(ip_address(text)) is None


@pytest.mark.parametrize("text", REFUSED)
def test_refused_addresses_and_why(text: str) -> None:
    block = blocked_by(ip_address(text))
    assert block is not None
    assert REFUSED[text] in block.source


@pytest.mark.parametrize("block", BLOCKED, ids=lambda block: str(block.network))
def test_each_row_covers_its_edges_and_names_its_source(block: Block) -> None:
    assert block.source.startswith(("RFC ", "AWS "))
    for edge in (block.network[0], block.network[-1]):
        assert blocked_by(edge) is not None


LOCAL = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12:3456::1", "::ffff:127.0.0.1"]
NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "0.0.0.0",
    "fe80::1",
    "224.0.0.1",
    "100.64.0.1",
    "::",
]


@pytest.mark.parametrize("text", LOCAL)
def test_private_sources_open_ones_own_network(text: str) -> None:
    assert blocked_by(ip_address(text)) is not None
    assert blocked_by(ip_address(text), allow_private=True) is None


@pytest.mark.parametrize("text", NEVER)
def test_private_sources_open_nothing_else(text: str) -> None:
    assert blocked_by(ip_address(text), allow_private=True) is not None


def corpus() -> Iterator[Address]:
    """Edges and insides of every block of either table, random addresses, and IPv4 in every wrapping."""
    chance = random.Random(6)
    inner = [IPv4Address(chance.getrandbits(32)) for _ in range(2000)]
    networks: list[IPv4Network | IPv6Network] = [
        *(block.network for block in BLOCKED),
        *(block.network for block in ssrfguard.DEFAULT_DENIED.blocks),
    ]
    for network in networks:
        first, last = int(network[0]), int(network[-1])
        numbers = [first - 1, first, first + 1, last - 1, last, last + 1]
        numbers += [chance.randint(first, last) for _ in range(20)]
        kind = IPv4Address if network.version == 4 else IPv6Address
        found = [kind(number) for number in numbers if 0 <= number < 2**network.max_prefixlen]
        inner += [address for address in found if isinstance(address, IPv4Address)]
        yield from found
    yield from inner
    yield from (IPv6Address(chance.getrandbits(128)) for _ in range(5000))
    yield from (IPv6Address((1 << 125) + chance.getrandbits(125)) for _ in range(5000))
    wrappings = (
        "::",
        "::ffff:0:0",
        "::ffff:0:0:0",
        "64:ff9b::",
        "64:ff9b:1::",
        "2600::5efe:0:0",
        "2600::200:5efe:0:0",
    )
    for address in inner:
        yield from (IPv6Address(int(IPv6Address(wrapping)) + int(address)) for wrapping in wrappings)
        yield IPv6Address((0x2002 << 112) + (int(address) << 80) + 1)
        yield IPv6Address((0x20010000 << 96) + (int(address) ^ 0xFFFFFFFF))


# Where the library lets pass what we refuse. Never the other way round.
STRICTER = {
    "no global unicast": "all of IPv6 that is not assigned for global unicast, not the special blocks alone",
    "unassigned": "the same",
    "6to4": "refused whole: it is deprecated, and no host of it is worth a second rule",
    "IETF protocol assignments": "refused whole, anycast services among them",
    "AS112": "servers that answer for private names, global by the registry, with nothing to fetch",
    "AMT relays": "the same for relays",
}


@pytest.mark.slow
def test_no_address_passes_here_that_a_maintained_library_refuses() -> None:
    policy, count = ssrfguard.Policy(), 0
    for address in corpus():
        count += 1
        block, theirs = blocked_by(address), policy.permits_address(address)
        if block is None:
            assert theirs, f"{address} passes here alone"
        elif theirs:
            isatap = isinstance(address, IPv6Address) and int(address) >> 32 & 0xFDFFFFFF == 0x5EFE
            assert isatap or any(reason in block.source for reason in STRICTER), f"{address}: {block.source}"
    assert count > 40_000
