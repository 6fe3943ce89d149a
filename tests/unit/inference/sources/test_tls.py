"""https: the certificate must be valid, for that name, and https never becomes http."""

import datetime
import socket
import ssl
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from image_similarity.inference import sources
from image_similarity.inference.errors import SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, connection
from tests.support.servers import ok, redirect, serving

POLICY = SourcePolicy(allow_private=True, timeout_seconds=60)
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


def signed(
    name: str,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    days: int,
    *,
    authority: bool = False,
    since: int = -9,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    own = key if authority else ec.generate_private_key(ec.SECP256R1())
    subject = issuer if authority else x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if not authority and name[0].isdigit():
        names = [x509.IPAddress(ip_address(name))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + since * DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate, own


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ssl.SSLContext]:
    """Servers' contexts: certificates of our authority for names, and one of nobody's."""
    folder = tmp_path_factory.mktemp("tls")
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    key, stranger = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority, _ = signed("authority", issuer, key, 9, authority=True)
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made = {}
    between = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority between")])
    own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    others = {
        "not yet": signed("127.0.0.1", issuer, key, 9, since=3),
        "no chain": signed("127.0.0.1", between, stranger, 9),
        "self-signed": signed("127.0.0.1", own_name, stranger, 9, authority=True),
    }
    for label, name, signer, days in [
        ("good", "127.0.0.1", key, 9),
        ("name", "good.example", key, 9),
        ("other name", "other.example", key, 9),
        ("expired", "127.0.0.1", key, -1),
        ("stranger", "127.0.0.1", stranger, 9),
    ]:
        others[label] = signed(name, issuer, signer, days)
    for label, (certificate, own) in others.items():
        file = folder / f"{label}.pem"
        encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        private = own.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
        file.write_bytes(private + certificate.public_bytes(encoding))
        made[label] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made[label].load_cert_chain(file)
    made["file"] = folder / "authority.pem"  # type: ignore[assignment]
    return made


@pytest.fixture(autouse=True)
def trusted(contexts: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(contexts["file"]))
    connection._tls_context.cache_clear()
    yield
    connection._tls_context.cache_clear()


def read(url: str) -> bytes:
    return sources.read_all([Source.by_url("url", url)], POLICY)[0]


def test_a_valid_certificate_of_an_address(contexts: dict[str, ssl.SSLContext]) -> None:
    with serving(ok(b"x" * 100_000), context=contexts["good"]) as server:
        assert read(server.url) == b"x" * 100_000


@pytest.mark.slow
def test_the_certificate_is_the_names_and_not_the_addresss(
    contexts: dict[str, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [(0, 0, 0, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with serving(ok(b"hello"), context=contexts["name"]) as server:
        assert read(f"https://good.example:{server.port}/") == b"hello"
        with pytest.raises(SourceUnavailable, match="certificate is not valid: it is for another name"):
            read(f"https://wrong.example:{server.port}/")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("other name", "for another address; use the name"),
        ("expired", "has expired; the server's owner"),
        ("not yet", "not valid yet"),
        ("stranger", "can't be verified; use a server"),
        ("no chain", "chain to a public authority is incomplete; its owner has to add"),
        ("self-signed", "is self-signed; use a server"),
    ],
)
def test_other_certificates(label: str, reason: str, contexts: dict[str, ssl.SSLContext]) -> None:
    with serving(ok(b"hello"), context=contexts[label]) as server:
        with pytest.raises(SourceUnavailable, match=f"certificate is not valid: .*({reason})"):
            read(server.url)
        assert server.requests == []


def test_a_server_that_speaks_no_tls() -> None:
    with (
        serving(ok(b"hello")) as server,
        pytest.raises(SourceUnavailable, match="reached by https: it does not speak TLS"),
    ):
        read(server.url.replace("http:", "https:"))


def test_no_field_is_offered_whose_size_the_server_picks(contexts: dict[str, ssl.SSLContext]) -> None:
    """One of 10,000 bits would cost a second of the processor, within one step of the handshake."""
    offered: list[str] = []

    def answer(connection: socket.socket, head: bytes) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        offered.extend(name for name, *_ in connection.shared_ciphers() or ())
        connection.sendall(ok(b"hello"))

    known = [cipher["name"] for cipher in contexts["good"].get_ciphers()]
    assert any(name.startswith("DHE-") for name in known)
    with serving(answer, context=contexts["good"]) as server:
        assert read(server.url) == b"hello"
    assert {name for name in offered if name.startswith("ECDHE-")}
    assert not [name for name in offered if not name.startswith(("ECDHE-", "TLS_"))]


def test_https_is_never_redirected_to_http(contexts: dict[str, ssl.SSLContext]) -> None:
    with serving(ok(b"hello")) as plain, serving(redirect(plain.url), context=contexts["good"]) as server:
        with pytest.raises(SourceNotAllowed, match="from https to http"):
            read(server.url)
        assert plain.connections == 0


def test_http_may_be_redirected_to_https(contexts: dict[str, ssl.SSLContext]) -> None:
    with serving(ok(b"hello"), context=contexts["good"]) as server, serving(redirect(server.url)) as plain:
        assert read(plain.url) == b"hello"


def drip(opened: socket.socket, head: bytes) -> None:
    opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    while True:
        opened.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.slow
def test_the_deadline_holds_within_tls(contexts: dict[str, ssl.SSLContext]) -> None:
    short = SourcePolicy(allow_private=True, timeout_seconds=0.7)
    with serving(drip, context=contexts["good"]) as server:
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"not there after 0.7 seconds"):
            sources.read_all([Source.by_url("url", server.url)], short)
        assert time.monotonic() - start < 30


@pytest.mark.slow
def test_the_deadline_holds_for_a_handshake_that_stalls() -> None:
    short = SourcePolicy(allow_private=True, timeout_seconds=0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(SourceUnavailable, match=r"not there after 0.5 seconds"):
            sources.read_all([Source.by_url("url", f"https://127.0.0.1:{silent.getsockname()[1]}/")], short)
        assert time.monotonic() - start < 30


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_protocols_are_not_spoken(contexts: dict[str, ssl.SSLContext]) -> None:
    """A server of TLS 1.1, which a client without a minimum of its own does reach."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.load_cert_chain(Path(str(contexts["file"])).with_name("good.pem"))
    lax = ssl.create_default_context(cafile=str(contexts["file"]))
    for context in (old, lax):
        context.set_ciphers("ALL:@SECLEVEL=0")  # OpenSSL's levels above speak no TLS 1.1 at all
        context.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    ours = connection._tls_context()
    ours.set_ciphers("ALL:@SECLEVEL=0")
    with serving(ok(b"hello"), context=old) as server:
        with (
            socket.create_connection(("127.0.0.1", server.port)) as plain,
            lax.wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
        ):
            assert spoken.version() == "TLSv1.1"
        with pytest.raises(SourceUnavailable, match="url: "):
            read(server.url)
        assert server.requests == []


def test_mozillas_authorities_are_trusted_beside_the_systems(contexts: dict[str, ssl.SSLContext]) -> None:
    """The system's are the one of this test, by SSL_CERT_FILE."""
    bundle, system = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bundle.load_verify_locations(certifi.where())
    system.load_verify_locations(str(contexts["file"]))
    trusted = set(connection._tls_context().get_ca_certs(binary_form=True))
    assert len(bundle.get_ca_certs()) > 100
    assert trusted >= {*bundle.get_ca_certs(binary_form=True), *system.get_ca_certs(binary_form=True)}
