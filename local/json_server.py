"""A small JSON API on a port of this machine, for what stands in for somebody else's service."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

LARGEST_BODY_BYTES = 32 << 20  # a recording


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> object:
        """Raises ValueError for what is not JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """`body`: JSON, or bytes that go out as plain text."""

    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)


class JsonServer:
    """Answers on its own threads until it is closed."""

    def __init__(self, answer: Callable[[Request], Reply], port: int = 0):
        handler = type("Handler", (_Handler,), {"answer": staticmethod(answer)})
        self._server = _Server(("127.0.0.1", port), handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 120

    def _respond(self) -> None:
        length = self.headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST_BODY_BYTES:
            self.close_connection = True
            return self._send(Reply(413, {"error": {"message": "The body is too large."}}))
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(length))
        self._send(self.answer(Request(self.command, self.path, headers, body)))

    def _send(self, reply: Reply) -> None:
        is_text = isinstance(reply.body, bytes)
        content = reply.body if is_text else json.dumps(reply.body, ensure_ascii=False).encode()
        kind = "text/plain" if is_text else "application/json"
        self.send_response_only(reply.status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        try:
            super().handle()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def log_message(self, *_) -> None:
        """Requests hold what people wrote."""

    do_GET = do_POST = do_DELETE = do_PUT = _respond
