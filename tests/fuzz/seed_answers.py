"""Seeds of what servers answer: redirects of each kind, alone and behind a request of the service."""

import json

from tests.fuzz.network import SEPARATOR
from tests.fuzz.targets import PICTURE
from tests.support.servers import redirect

FILE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nA: b\r\n\r\n"
FOLLOWED = [
    "/", "/x/y.jpg", "z", "../up", "?query=1", "#part", "//b.com/c", "http://b.com/", "http://b.com:443/",
    "https://b.com/c?d=e", "http://1.1.1.1/", "http://[2606:4700::1]/", "/K\u00e4se", "/a%20b",
]  # fmt: skip
REFUSED = [
    "http://127.0.0.1/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
    "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/", "http://2130706433/", "http://0x7f.1/",
    "http://private.com/", "http://mixed.com/", "http://mapped.com/", "http://zone.com/", "http://nowhere.com/",
    "http://b.com:8080/", "http://u:p@b.com/", "//10.0.0.1/", "ftp://b.com/", "s3://bucket/key", "file:///etc/passwd",
    "http://[/", "http://[29xyz:1]/",
]  # fmt: skip


def chain(*answers: bytes) -> bytes:
    """What a server gives to one connection after the other."""
    return SEPARATOR.join(answers)


def redirects() -> list[bytes]:
    """To where it may go, to where it may not, from https, in circles, too often, and not in order."""
    found = [chain(redirect(place), FILE) for place in FOLLOWED]
    found += [redirect(place) for place in REFUSED]
    found += [chain(redirect("/next", status), CHUNKS) for status in (301, 303, 307, 308)]
    found += [
        redirect("/again"),
        chain(*[redirect("/next")] * 3, FILE),
        chain(*[redirect("/next")] * 4, FILE),
    ]
    found += [chain(redirect("http://b.com/"), redirect("http://10.0.0.1/"), FILE)]
    found += [chain(redirect("https://b.com/"), redirect("http://b.com/"), FILE)]
    found += [b"https\n" + chain(redirect(place), FILE) for place in ("/", "//b.com/", "https://b.com/")]
    found += [b"https\n" + chain(redirect("http://b.com/"), FILE), b"https\n" + FILE]
    twice = b"HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: http://10.0.0.1/\r\n\r\n"
    folded = b"HTTP/1.1 302 Found\r\nLocation: http://b.com/\r\n http://10.0.0.1/\r\n\r\n"
    return [
        *found,
        twice,
        folded,
        b"HTTP/1.1 100 Continue\r\n\r\n" + redirect("/"),
        redirect("/" + "a" * 2000),
    ]


def fetching_requests() -> list[bytes]:
    """Requests of the service whose pictures are fetched, and the answers that they get."""
    one, two = {"url": "http://a.com/"}, {"url_1": "http://a.com/b", "url_2": "https://1.1.1.1/c"}
    answers = [[], [FILE], [redirect("/b"), PICTURE], [redirect("http://private.com/")], [redirect("/again")]]
    found = [[json.dumps(body).encode(), *each] for body in (one, two) for each in answers]
    refused = ({"url": "http://1.1.1.1:81/"}, {"url": "http://mixed.com/"}, {"url": "https://nowhere.com/"})
    found += [[json.dumps(body).encode()] for body in refused]
    return [b"application/json\n" + SEPARATOR.join(parts) for parts in found]
