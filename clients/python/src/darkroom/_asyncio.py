"""Driver of operations with asyncio streams."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from functools import partial
from typing import Any, AsyncGenerator, Callable, List, Optional, Tuple, TypeVar, Union
from urllib.parse import urlsplit

from ._effects import Close, Done, Effect, Emit, Open, Operation, Read, Response, Sleep
from ._http import BodyReader, ProtocolError, head_of, request_head
from ._read_files import UnreadableFile, bytes_of
from .errors import ConnectionFailed
from .models import ImageEvent

T = TypeVar("T")


@dataclass
class _Stream:
    writer: asyncio.StreamWriter
    body: BodyReader

    def close(self) -> None:
        self.writer.close()


@dataclass
class Transport:
    """Sends each request over a connection of its own. A canceled task closes its connections."""

    connect_timeout_s: float = 10.0
    tls: Optional[ssl.SSLContext] = None
    _writers: List[asyncio.StreamWriter] = field(default_factory=list)

    async def perform(self, effect: Effect) -> Any:
        """Performs an effect. Every fault of the network is ConnectionFailed. The fault of a file is the OSError itself."""
        if isinstance(effect, Sleep):
            return await asyncio.sleep(effect.seconds)
        if isinstance(effect, Close):
            return effect.response.stream.close()
        try:
            if isinstance(effect, Open):
                return await self._open(effect)
            if isinstance(effect, Read):
                return await self._read(effect)
        except UnreadableFile as error:
            raise (error.__cause__ or error) from None
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError, ProtocolError) as error:
            raise ConnectionFailed(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Closes every connection of the operation."""
        for each in self._writers:
            each.close()

    async def _open(self, effect: Open) -> Response:
        request = effect.request
        parts = urlsplit(request.url)
        is_tls = parts.scheme == "https"
        reader, writer = await asyncio.wait_for(
            _connect(
                parts.hostname or "",
                parts.port or (443 if is_tls else 80),
                (self.tls or ssl.create_default_context()) if is_tls else None,
            ),
            min(self.connect_timeout_s, effect.timeout_s),
        )
        self._writers.append(writer)
        try:
            try:
                await _send(writer, effect)
            except (BrokenPipeError, ConnectionResetError):
                # The service may respond and close before it has read a body that it refuses.
                pass
            status, headers = await asyncio.wait_for(head_of(reader), effect.timeout_s)
        except BaseException:
            # A wait has many connections. One that failed must not stay open until the wait ends.
            writer.close()
            raise
        body = BodyReader(reader, headers, has_body=status != 204 and request.method != "HEAD")
        return Response(status, headers, _Stream(writer, body))

    async def _read(self, effect: Read) -> bytes:
        stream: _Stream = effect.response.stream
        try:
            return await asyncio.wait_for(stream.body.read(), effect.timeout_s)
        except BaseException:
            stream.close()
            raise


class _Reader(asyncio.StreamReader):
    """
    A reader that still returns what arrived before the connection broke, such as the response to a body that the service
    refuses. The reader of a body notices by its length that it is cut.
    """

    def set_exception(self, exc: BaseException) -> None:
        self.feed_eof()


async def _connect(
    host: str, port: int, tls: Optional[ssl.SSLContext]
) -> Tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Opens a connection as `asyncio.open_connection` does, with a reader of another class."""
    loop = asyncio.get_running_loop()
    reader = _Reader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.create_connection(lambda: protocol, host, port, ssl=tls)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _send(writer: asyncio.StreamWriter, effect: Open) -> None:
    writer.write(request_head(effect.request))
    for piece in bytes_of(effect.request.body):
        writer.write(piece)
        await asyncio.wait_for(writer.drain(), effect.timeout_s)
        # A response that arrives early must be read before a further write fails.
        await asyncio.sleep(0)


async def drive(
    operation: Operation[T], transport: Transport
) -> AsyncGenerator[Union[ImageEvent, Done], None]:
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
                step = partial(operation.send, await transport.perform(effect))
            except ConnectionFailed as error:
                step = partial(operation.throw, error)
    finally:
        operation.close()
        transport.close()


async def run(
    operation: Operation[T], transport: Transport, on_event: Optional[Callable[[ImageEvent], None]] = None
) -> T:
    """Runs an operation and returns its result."""
    steps = drive(operation, transport)
    try:
        async for each in steps:
            if isinstance(each, Done):
                result: T = each.value
                return result
            if on_event:
                on_event(each)
    finally:
        await steps.aclose()
    raise RuntimeError("the operation has no result")
