"""Driver of operations with blocking sockets."""

from __future__ import annotations

import http.client
import ssl
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Generator, List, Optional, TypeVar, Union
from urllib.parse import urlsplit

from ._effects import Close, Done, Effect, Emit, Open, Operation, Read, Request, Response, Sleep
from ._read_files import UnreadableFile, bytes_of
from .errors import ConnectionFailed
from .models import ImageEvent

T = TypeVar("T")
PART_BYTES = 64 * 1024


@dataclass
class _Stream:
    connection: http.client.HTTPConnection
    socket: Any
    response: http.client.HTTPResponse

    def close(self) -> None:
        self.response.close()
        self.connection.close()
        self.socket.close()


@dataclass
class Transport:
    """Sends each request over a connection of its own, so that no request meets a connection that is closing."""

    connect_timeout_s: float = 10.0
    tls: Optional[ssl.SSLContext] = None
    _opened: List[_Stream] = field(default_factory=list)

    def perform(self, effect: Effect) -> Any:
        """Performs an effect. Every fault of the network is ConnectionFailed. The fault of a file is the OSError itself."""
        if isinstance(effect, Sleep):
            return time.sleep(effect.seconds)
        if isinstance(effect, Close):
            return effect.response.stream.close()
        try:
            return self._open(effect) if isinstance(effect, Open) else _read(effect)  # type: ignore[arg-type]
        except UnreadableFile as error:
            raise (error.__cause__ or error) from None
        except (OSError, http.client.HTTPException) as error:
            raise ConnectionFailed(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Closes every connection of the operation."""
        for each in self._opened:
            each.close()

    def _open(self, effect: Open) -> Response:
        request = effect.request
        connection = self._connect(request.url, min(self.connect_timeout_s, effect.timeout_s))
        try:
            connection.connect()
            socket = connection.sock
            socket.settimeout(effect.timeout_s)
            try:
                _send(connection, request)
            except (BrokenPipeError, ConnectionResetError):
                # The service may respond and close before it has read a body that it refuses.
                pass
            response = connection.getresponse()
        except BaseException:
            connection.close()
            raise
        stream = _Stream(connection, socket, response)
        self._opened.append(stream)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, headers, stream)

    def _connect(self, url: str, timeout_s: float) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port, timeout=timeout_s, context=self.tls)
        return http.client.HTTPConnection(host, parts.port, timeout=timeout_s)


def _send(connection: http.client.HTTPConnection, request: Request) -> None:
    parts = urlsplit(request.url)
    connection.putrequest(request.method, parts.path + (f"?{parts.query}" if parts.query else ""))
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.putheader("connection", "close")
    if request.body or request.method != "GET":
        connection.putheader("content-length", str(request.size))
    connection.endheaders()
    for part in bytes_of(request.body):
        connection.send(part)


def _read(effect: Read) -> bytes:
    stream: _Stream = effect.response.stream
    try:
        stream.socket.settimeout(effect.timeout_s)
        part = stream.response.read1(PART_BYTES)
        if not part and stream.response.length:
            raise ConnectionError("the connection ended before the response")
        return part
    except BaseException:
        stream.close()
        raise


def drive(operation: Operation[T], transport: Transport) -> Generator[Union[ImageEvent, Done], None, None]:
    """Runs an operation. Yields its events, then its result."""
    step: Callable[[], Effect] = partial(next, operation)
    try:
        while True:
            try:
                effect = step()
            except StopIteration as end:
                yield Done(end.value)
                return
            if isinstance(effect, Emit):
                yield effect.event
                step = partial(next, operation)
                continue
            try:
                step = partial(operation.send, transport.perform(effect))
            except ConnectionFailed as error:
                step = partial(operation.throw, error)
    finally:
        operation.close()
        transport.close()


def run(
    operation: Operation[T], transport: Transport, on_event: Optional[Callable[[ImageEvent], None]] = None
) -> T:
    """Runs an operation and returns its result."""
    for each in drive(operation, transport):
        if isinstance(each, Done):
            result: T = each.value
            return result
        if on_event:
            on_event(each)
    raise RuntimeError("the operation has no result")
