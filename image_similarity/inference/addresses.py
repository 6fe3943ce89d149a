"""Which addresses may be fetched from: those of the public internet.

Python's own `is_global` is not enough: versions in use call 6to4, NAT64 and multicast addresses global. So
the table is written out, each row with its source, from the IANA registries of special-purpose addresses
(https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry).
"""

import ipaddress
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses that are not fetched from.

    Attributes:
        network: the block.
        source: the document that gives it its special purpose.
        local: a machine or network of one's own, which ALLOW_PRIVATE_SOURCES opens.
    """

    network: Network
    source: str
    local: bool = False


def _block(network: str, source: str, *, local: bool = False) -> Block:
    return Block(ipaddress.ip_network(network), source, local)


BLOCKED = (
    _block("0.0.0.0/8", "RFC 791 section 3.2: this network"),
    _block("10.0.0.0/8", "RFC 1918: private use", local=True),
    _block("100.64.0.0/10", "RFC 6598: shared address space of carriers"),
    _block("127.0.0.0/8", "RFC 1122 section 3.2.1.3: loopback", local=True),
    _block("169.254.0.0/16", "RFC 3927: link local; credentials and metadata of AWS compute"),
    _block("172.16.0.0/12", "RFC 1918: private use", local=True),
    _block("192.0.0.0/24", "RFC 6890 section 2.1: IETF protocol assignments"),
    _block("192.0.2.0/24", "RFC 5737: documentation"),
    _block("192.31.196.0/24", "RFC 7535: AS112-v4, answers for private names"),
    _block("192.52.193.0/24", "RFC 7450: AMT relays"),
    _block("192.88.99.0/24", "RFC 7526: 6to4 relay anycast, deprecated"),
    _block("192.168.0.0/16", "RFC 1918: private use", local=True),
    _block("192.175.48.0/24", "RFC 7534: direct delegation AS112, answers for private names"),
    _block("198.18.0.0/15", "RFC 2544: benchmarking"),
    _block("198.51.100.0/24", "RFC 5737: documentation"),
    _block("203.0.113.0/24", "RFC 5737: documentation"),
    _block("224.0.0.0/4", "RFC 5771: multicast"),
    _block("240.0.0.0/4", "RFC 1112 section 4: reserved, and limited broadcast (RFC 919)"),
    # IPv6: global unicast is 2000::/3 (RFC 4291 section 2.4), and of that:
    _block(
        "::/3", "RFC 4291 section 2.4: no global unicast; loopback, IPv4-compatible, NAT64 (unwrapped first)"
    ),
    _block("2001::/23", "RFC 2928: IETF protocol assignments; Teredo, benchmarking, ORCHID"),
    _block("2001:db8::/32", "RFC 3849: documentation"),
    _block("2002::/16", "RFC 3056: 6to4"),
    _block("2620:4f:8000::/48", "RFC 7534: direct delegation AS112"),
    _block("3fff::/20", "RFC 9637: documentation"),
    _block("4000::/2", "RFC 4291 section 2.4: unassigned; segment routing (RFC 9602)"),
    _block("8000::/2", "RFC 4291 section 2.4: unassigned"),
    _block("c000::/3", "RFC 4291 section 2.4: unassigned"),
    _block("e000::/4", "RFC 4291 section 2.4: unassigned"),
    _block("f000::/5", "RFC 4291 section 2.4: unassigned"),
    _block("f800::/6", "RFC 4291 section 2.4: unassigned"),
    _block("fd00:ec2::/32", "AWS EC2 and EKS user guides: instance metadata and pod credentials over IPv6"),
    _block("fc00::/7", "RFC 4193: unique local", local=True),
    _block("fe00::/9", "RFC 4291 section 2.4: unassigned"),
    _block("fe80::/10", "RFC 4291 section 2.5.6: link local"),
    _block("fec0::/10", "RFC 3879: site local, deprecated"),
    _block("ff00::/8", "RFC 4291 section 2.7: multicast"),
)
LOOPBACK = ipaddress.IPv6Address("::1")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
ISATAP_IDENTIFIERS = frozenset({0x00005EFE, 0x02005EFE})


def blocked_by(address: Address, *, allow_private: bool = False) -> Block | None:
    """The block because of which an address may not be fetched from; None if it may.

    An IPv6 address that carries an IPv4 one to a host (mapped, NAT64, ISATAP) is judged by it too.

    Args:
        address: the address that would be connected to.
        allow_private: let loopback and private addresses pass.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner, stands_for_it = _embedded(address)
        if inner is not None:
            verdict = blocked_by(inner, allow_private=allow_private)
            if verdict or stands_for_it:
                return verdict
        if address == LOOPBACK and allow_private:
            return None
    for block in BLOCKED:
        if address.version == block.network.version and address in block.network:
            return None if allow_private and block.local else block
    return None


def _embedded(address: ipaddress.IPv6Address) -> tuple[ipaddress.IPv4Address | None, bool]:
    """The IPv4 address inside, and whether packets go to that one alone.

    IPv4-mapped: RFC 4291 section 2.5.5.2. NAT64: RFC 6052 section 2.1; a network with IPv6 alone gets such
    addresses for every IPv4 host. ISATAP: RFC 5214 section 6.1. The other forms (IPv4-compatible, 6to4,
    Teredo, local NAT64 prefixes) are blocked whole.
    """
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped is not None or address in NAT64:
        return low, True
    if int(address) >> 32 & 0xFFFFFFFF in ISATAP_IDENTIFIERS:
        return low, False
    return None, False
