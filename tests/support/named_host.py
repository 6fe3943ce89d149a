"""The host name of a deployed API, answered on loopback: code that names it runs as it stands.

A program reaches the host through the proxy that its environment names, and trusts an authority that is made
here. The proxy connects to the local server only, whatever host it is asked for. It leaves the bytes inside
TLS alone: the request line, the headers and their signature arrive as the program wrote them.
"""

import datetime
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

PASSWORD = "changeit"
SECONDS = 60


@dataclass(frozen=True)
class Authority:
    """A certificate authority: its files as the programs want them, and its server's context."""

    certificate: Path
    truststore: Path
    context: ssl.SSLContext


@dataclass(frozen=True)
class Way:
    """How a program gets to the named host."""

    port: int
    authority: Authority

    @property
    def environment(self) -> dict[str, str]:
        """For requests, curl and Node."""
        proxy, file = f"http://127.0.0.1:{self.port}", str(self.authority.certificate)
        proxies = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy)
        trusted = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"), file)
        return {**proxies, **dict.fromkeys(("NO_PROXY", "no_proxy"), ""), **trusted}

    @property
    def java_options(self) -> list[str]:
        """For java, which reads none of those variables."""
        return [
            "-Dhttps.proxyHost=127.0.0.1",
            f"-Dhttps.proxyPort={self.port}",
            f"-Djavax.net.ssl.trustStore={self.authority.truststore}",
            f"-Djavax.net.ssl.trustStorePassword={PASSWORD}",
        ]


def authority(host: str, folder: Path) -> Authority:
    """Make an authority, and a server's context with its certificate for the host."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Authority of the tests", root_key, None)
    leaf = _certificate(host, key, (root, root_key))
    files = {
        "authority.pem": root.public_bytes(serialization.Encoding.PEM),
        "server.pem": leaf.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "authority.p12": serialize_java_truststore(
            [PKCS12Certificate(root, b"authority")],
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        ),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Authority(folder / "authority.pem", folder / "authority.p12", context)


@contextmanager
def named_host(host: str, origin: str, trusted: Authority) -> Iterator[Way]:
    """Serve `https://host` for as long as the block runs.

    Args:
        host: the only name that is answered; any other is refused, and never looked up.
        origin: the `http://127.0.0.1:PORT` behind it.
        trusted: the authority that vouches for the host.
    """
    with _Proxy(host, int(origin.rpartition(":")[2]), trusted.context) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield Way(int(proxy.server_address[1]), trusted)
        finally:
            proxy.shutdown()
            thread.join()


class _Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self.host, self.port, self.context = host, port, context
        super().__init__(("127.0.0.1", 0), _Tunnel)


class _Tunnel(socketserver.StreamRequestHandler):
    server: _Proxy
    timeout = SECONDS

    def handle(self) -> None:
        line = self.rfile.readline().decode("ascii", "replace").split()
        while self.rfile.readline().strip():
            pass
        if line[:2] != ["CONNECT", f"{self.server.host}:443"]:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            with (
                self.server.context.wrap_socket(self.connection, server_side=True) as client,
                socket.create_connection(("127.0.0.1", self.server.port), SECONDS) as server,
            ):
                _both_ways(client, server)
        except (ConnectionError, ssl.SSLError):  # the program ended, or does not trust the certificate
            self.close_connection = True


def _both_ways(client: ssl.SSLSocket, server: socket.socket) -> None:
    """Copy until the program closes; it knows from the length where the answer ends."""
    back = threading.Thread(target=_copy, args=(server, client), daemon=True)
    back.start()
    _copy(client, server)
    server.shutdown(socket.SHUT_RDWR)
    back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while received := source.recv(65536):
            target.sendall(received)
    except (ConnectionError, ssl.SSLError, TimeoutError):
        return  # one side is gone, which ends the other loop


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    """A certificate for a host, or an authority's own where there is no issuer."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    signer, signing_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=issuer is None,
        crl_sign=issuer is None,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(key_id, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
