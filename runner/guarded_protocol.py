"""uvicorn's HTTP/1.1 connection, closed when a head does not end or a body nobody reads goes on."""

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
MAX_HEAD_BYTES = 64 * 1024
# What is still read after the answer was sent, so that a client that writes first sees the answer.
LINGER_SECONDS = 10.0
MAX_LINGER_BYTES = 64 * 1024 * 1024
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"connection: close\r\n\r\nThe request's headers are larger than 65536 bytes."
)


class GuardedProtocol(HttpToolsProtocol):
    """Between requests and while reading a head a timer runs; the application limits the body."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._reads_head = True
        self._is_refused = False
        self._head_bytes = 0
        self._lingered_bytes = 0
        self._timer = self.loop.call_later(HEAD_SECONDS, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._linger(len(data))
            return
        if self._reads_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._reads_head and self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._restart_timer(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        self._reads_head = False
        self._timer.cancel()
        try:
            super().on_headers_complete()
        except httptools.HttpParserInvalidURLError:
            # A target that is no path (`POST * HTTP/1.1`); uvicorn lets this one escape.
            self.send_400_response("The request's target is not a path.")

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.cycle is not None and self.cycle.response_complete:
            self._linger(len(body))

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._reads_head, self._head_bytes, self._lingered_bytes = True, 0, 0
        self._timer.cancel()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._reads_head and not self.transport.is_closing():
            self._restart_timer(LINGER_SECONDS)

    def _refuse_head(self) -> None:
        self._is_refused = True
        if not self.transport.is_closing():
            self.transport.write(HEAD_TOO_LARGE)
            self.transport.write_eof()
            self._restart_timer(LINGER_SECONDS)

    def _linger(self, size_bytes: int) -> None:
        """Closing while the client still writes would destroy the answer on its way."""
        self._lingered_bytes += size_bytes
        if self._lingered_bytes > MAX_LINGER_BYTES:
            self._close()

    def _restart_timer(self, seconds: float) -> None:
        self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._close)

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
