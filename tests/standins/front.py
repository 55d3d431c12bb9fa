"""A CONNECT proxy on 127.0.0.1 that plays Google's hosts: ends TLS, hands the bytes to stand-ins.

    with front.serve({"storage.googleapis.com": gcs_port}, folder) as proxy:
        subprocess.run(command, env={**os.environ, **proxy.environment})

Clients are used as they are, TensorFlow's C++ one included: they are only told of a proxy and of a
CA, made for the occasion, in the environment. Any other host is refused.
"""

from __future__ import annotations

import contextlib
import datetime
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.auth.compute_engine import _metadata

_CHUNK = 1 << 16


class Front(socketserver.ThreadingTCPServer):
    """The proxy.

    Attributes:
        hosts: the port that answers for a host; `host/h2` for those of its clients who ask for
            HTTP/2, as gRPC does.
        environment: the variables that lead clients here.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, hosts: dict[str, int], folder: Path, metadata_port: int):
        super().__init__(("127.0.0.1", 0), Connection)
        self.hosts = hosts
        ca = _make_certificates(folder, [host for host in hosts if "/" not in host])
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(folder / "host.pem")
        self.tls.set_alpn_protocols(["h2", "http/1.1"])
        proxy = f"http://127.0.0.1:{self.server_address[1]}"
        metadata = f"127.0.0.1:{metadata_port}"
        certificates = ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH")
        self.environment = {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            **dict.fromkeys(certificates, ca),
            "GCE_METADATA_HOST": metadata,
            "GCE_METADATA_IP": metadata,
            "GCE_METADATA_ROOT": metadata,
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""

    def lead_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leads this process' clients here, too; google-auth reads a variable when imported."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", self.environment["GCE_METADATA_HOST"])


@contextlib.contextmanager
def serve(hosts: dict[str, int], folder: Path, metadata_port: int) -> Iterator[Front]:
    """Runs a proxy in a thread of its own; certificates go to `folder`."""
    with Front(hosts, folder, metadata_port) as front:
        thread = threading.Thread(target=front.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield front
        finally:
            front.shutdown()
            thread.join()


class Connection(socketserver.StreamRequestHandler):
    """One connection of a client: CONNECT, TLS, then bytes to and fro."""

    server: Front
    disable_nagle_algorithm = True

    def handle(self) -> None:
        method, target, _ = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        host = target.partition(":")[0]
        if method != "CONNECT" or host not in self.server.hosts:
            self.wfile.write(b"HTTP/1.1 403 No way out\r\nContent-Length: 0\r\n\r\n")
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self.server.tls.wrap_socket(self.request, server_side=True) as client:
            kind = f"{host}/h2" if client.selected_alpn_protocol() == "h2" else host
            port = self.server.hosts.get(kind, self.server.hosts[host])
            with socket.create_connection(("127.0.0.1", port)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Hands on bytes until the source ends; then ends the target."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for end in (target, source):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _make_certificates(folder: Path, hosts: list[str]) -> str:
    """Writes ca.pem, and host.pem with the hosts' certificate and key; returns the CA's path."""
    key, ca_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in CA")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    identifier = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = _certificate(issuer, issuer, ca_key)
    ca = ca.add_extension(x509.BasicConstraints(True, 0), True).add_extension(signs, True)
    host = _certificate(subject, issuer, key)
    host = host.add_extension(names, False).add_extension(authority, False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(
        ca.add_extension(identifier, False).sign(ca_key, hashes.SHA256()).public_bytes(pem)
    )
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "host.pem").write_bytes(host.sign(ca_key, hashes.SHA256()).public_bytes(pem) + secret)
    return str(folder / "ca.pem")


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
    )
