"""Thousands of URLs: every part in many spellings, combined at random from a fixed seed."""

import json
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random

from image_similarity.inference.addresses import BLOCKED

ROOT = Path(__file__).resolve().parents[2]
PARTS: dict[str, list[str]] = json.loads((ROOT / "tests/data/security/url_parts.json").read_text())
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
LENGTHS = [1, 3, 7, 20, 59]
EMBEDDING = [
    0,
    0xFFFF << 32,
    0xFFFF0000 << 32,
    0x64FF9B << 96,
    0x64FF9B0001 << 80,
    0x20010470 << 96 | 0x5EFE << 32,
]
PUBLIC_PREFIXES = [0x2600 << 112, 0x2A00 << 112]


def name(chance: Random) -> str:
    """A plain name: labels of letters and digits, one of them with a hyphen, an underscore or a capital."""
    labels = ["".join(chance.choices(LETTERS, k=chance.choice(LENGTHS))) for _ in range(chance.randint(1, 4))]
    return ".".join(labels) + chance.choice(PARTS["label_ends"]) + "." + chance.choice(PARTS["tails"])


def odd_name(chance: Random) -> str:
    """A name with one thing wrong, or with something that a reader may turn into another name."""
    label, tail, long = (
        "".join(chance.choices(LETTERS[:26], k=5)),
        chance.choice(PARTS["tails"]),
        ".".join(["ab"] * 84),
    )
    return chance.choice(PARTS["odd_names"]).format(label=label, tail=tail, long=long)


def ipv4(chance: Random) -> IPv4Address:
    """Any address, half of them inside a block or at its edge."""
    network = chance.choice([block.network for block in BLOCKED if block.network.version == 4])
    near = int(network.network_address) + chance.randrange(-2, network.num_addresses + 2)
    return IPv4Address(chance.choice([near % 2**32, chance.getrandbits(32)]))


def ipv6(chance: Random) -> IPv6Address:
    """Any address, most of them in a block, at its edge, or around an IPv4 one."""
    network = chance.choice([block.network for block in BLOCKED if block.network.version == 6])
    near = int(network.network_address) + chance.choice(
        [-1, 0, 1, network.num_addresses - 1, network.num_addresses]
    )
    inner = int(ipv4(chance))
    around = [
        chance.choice(EMBEDDING) | inner,
        0x2002 << 112 | inner << 80,
        0x2001 << 112 | inner << 64 | chance.getrandbits(64),
    ]
    public = chance.choice(PUBLIC_PREFIXES) | chance.getrandbits(100)
    return IPv6Address(chance.choice([near % 2**128, public, public, *around]))


def ipv4_host(chance: Random) -> str:
    """An IPv4 address in its usual form."""
    return str(ipv4(chance))


def odd_ipv4_host(chance: Random) -> str:
    """A form that inet_aton takes, or what looks like one."""
    return _spelled(ipv4(chance), chance.choice(PARTS["odd_ipv4"]))


def ipv6_host(chance: Random) -> str:
    """An IPv6 address in brackets: short, whole, in capitals, or with its end as IPv4."""
    return _spelled(ipv6(chance), chance.choice(PARTS["ipv6"]))


def odd_ipv6_host(chance: Random) -> str:
    """Zones, missing brackets, and surplus characters within or around them."""
    return _spelled(ipv6(chance), chance.choice(PARTS["odd_ipv6"]))


def _spelled(address: IPv4Address | IPv6Address, form: str) -> str:
    number = int(address) % 2**32
    a, b, c, d = number.to_bytes(4)
    whole = address.exploded
    return form.format(
        **{
            "address": address,
            "upper": str(address).upper(),
            "whole": whole,
            "groups": whole.rsplit(":", 2)[0],
        },
        **{"number": number, "a": a, "b": b, "c": c, "d": d, "bcd": number % 2**24, "cd": number % 2**16},
    )


Make = Callable[[Random], str]
HOSTS: list[Make] = [name, name, ipv4_host, ipv6_host]
ODD_HOSTS: list[Make] = [odd_name, odd_ipv4_host, odd_ipv6_host]
ODDITIES = [
    "",
    "",
    "",
    "schemes",
    "separators",
    "users",
    "hosts",
    "hosts",
    "hosts",
    "ports",
    "paths",
    "characters",
]


def url(chance: Random) -> str:
    """One URL: ordinary in all parts, odd in one of them, or with one surplus character."""
    odd = chance.choice(ODDITIES)

    def part(kind: str) -> str:
        return chance.choice(PARTS[f"odd_{kind}" if odd == kind else kind])

    made = part("schemes") + part("separators") + part("users")
    made += chance.choice(ODD_HOSTS if odd == "hosts" else HOSTS)(chance) + part("ports") + part("paths")
    if odd != "characters":
        return made
    at = chance.randrange(len(made) + 1)
    return made[:at] + part("characters") + made[at:]


def urls(count: int, seed: int = 1) -> list[str]:
    """So many different URLs; the same seed gives the same ones."""
    chance, distinct = Random(seed), dict[str, None]()
    while len(distinct) < count:
        distinct[url(chance)] = None
    return list(distinct)
