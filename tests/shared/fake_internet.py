"""127.0.0.2 plays the internet and 127.0.0.1 the internal network; names resolve as a test says."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from f.shared.internet import Internet

PUBLIC, PRIVATE = "127.0.0.2", "127.0.0.1"
TLS_NAMES = (
    *("shop.example", "media.example", "api.twilio.com", "mms.twiliocdn.com", "api.telegram.org"),
    *("lookaside.fbsbx.com", "scontent.xx.fbcdn.net", "x.fbcdn.net"),
)


def answer(body: bytes = b"Hello", status: str = "200 OK", **headers: str) -> bytes:
    values = {"content_type": "text/plain", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in values.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(location: str) -> bytes:
    return answer(b"", "302 Found", location=location)


class Site:
    """Answers a path with bytes, or lets a function do with the connection what it likes."""

    def __init__(self, address: str, tls: ssl.SSLContext | None = None):
        self.answers: dict[str, bytes | Callable[[socket.socket], None]] = {}
        self.requests: list[str] = []
        self.is_silent = False
        self._tls = tls
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            if self.is_silent:
                while part := connection.recv(65536):
                    self.requests.append(part.hex())
                return
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            self._answer_request(connection)
        except OSError:
            pass
        finally:
            connection.close()

    def _answer_request(self, connection: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(65536) or b"\r\n\r\n"
        self.requests.append(request.decode())
        found = self.answers.get(request.split(b" ")[1].decode(), answer(b"", "404 Not Found"))
        if callable(found):
            found(connection)
        else:
            connection.sendall(found)

    def close(self) -> None:
        self._listener.close()


class FakeInternet(Internet):
    """`names` holds the answers for each look-up of a name, in turn; the last one stays."""

    def __init__(self, folder: Path):
        authority, self._certificate = certificate(folder)
        self._tls = ssl.create_default_context(cadata=authority)
        self.web = Site(PUBLIC)
        self.secure_web = Site(PUBLIC, self._server_tls())
        self.internal = Site(PRIVATE)
        self.internal.is_silent = True
        self.names: dict[str, list[list[str]]] = {}
        self.opened: list[str] = []

    def look_up(self, host: str) -> list[str]:
        if host not in self.names:
            # Numbers only: nobody is asked.
            found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
            return [address[0] for *_, address in found]
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def may_reach(self, address: str) -> bool:
        return address == PUBLIC or super().may_reach(address)

    def open(self, address: str, port: int, seconds: float) -> socket.socket:
        self.opened.append(address)
        site = self.internal if address == PRIVATE else {80: self.web, 443: self.secure_web}[port]
        return socket.create_connection((address, site.port), timeout=seconds)

    def tls(self) -> ssl.SSLContext:
        return self._tls

    def _server_tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        return context

    def close(self) -> None:
        for site in (self.web, self.secure_web, self.internal):
            site.close()


def certificate(folder: Path) -> tuple[str, Path]:
    """Of the names below, signed by itself: (PEM, a file with it and its key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    today = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name) for name in TLS_NAMES]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([*names, x509.IPAddress(ip_address(PUBLIC))]), False
        )
        .sign(key, hashes.SHA256())
    )
    pem = built.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "certificate.pem"
    file.write_bytes(pem + private)
    return pem.decode(), file
