"""HTTP/1.1 over asyncio streams: one request for each connection."""

from __future__ import annotations

import asyncio
import re
from typing import Dict, Optional, Tuple
from urllib.parse import urlsplit

from ._effects import Request

PART_BYTES = 64 * 1024


class ProtocolError(Exception):
    """The peer does not speak HTTP/1.1."""


def request_head(request: Request) -> bytes:
    """Returns the first line and the headers of a request."""
    parts = urlsplit(request.url)
    headers = {"host": parts.netloc.rpartition("@")[2], **request.headers, "connection": "close"}
    if request.body or request.method != "GET":
        headers["content-length"] = str(request.size)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("A header must not contain a line break.")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def head_of(reader: asyncio.StreamReader) -> Tuple[int, Dict[str, str]]:
    """Reads the status and the headers of the final response."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        version, _, rest = head[0].partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise ProtocolError(f"not a response: {head[0][:80]}")
        status = int(rest[:3])
        if status >= 200:
            pairs = (line.partition(":") for line in head[1:] if line)
            return status, {name.strip().lower(): value.strip() for name, _, value in pairs}


def _length_of(text: str) -> int:
    if not re.fullmatch("[0-9]{1,15}", text):
        raise ProtocolError("not a content-length")
    return int(text)


class BodyReader:
    """Reads a body by its length, in chunks, or until the end of the connection. Raises EOFError if it is cut."""

    def __init__(self, reader: asyncio.StreamReader, headers: Dict[str, str], *, has_body: bool) -> None:
        self._reader = reader
        self._is_chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length")
        self._rest: Optional[int] = _length_of(length) if length is not None and not self._is_chunked else None
        self._has_ended = not has_body
        if self._is_chunked:
            self._rest = 0

    async def read(self) -> bytes:
        """Returns the next bytes, or nothing at the end."""
        if self._is_chunked and not self._has_ended and self._rest == 0:
            await self._next_chunk()
        if self._has_ended or self._rest == 0:
            return b""
        part = await self._reader.read(PART_BYTES if self._rest is None else min(PART_BYTES, self._rest))
        if not part:
            if self._rest is not None:
                raise EOFError("the connection ended before the response")
            return b""
        if self._rest is not None:
            self._rest -= len(part)
            if self._is_chunked and self._rest == 0:
                await self._reader.readexactly(2)
        return part

    async def _next_chunk(self) -> None:
        line = await self._reader.readuntil(b"\r\n")
        try:
            self._rest = int(line.split(b";")[0], 16)
        except ValueError:
            raise ProtocolError("not a chunk") from None
        if self._rest == 0:
            self._has_ended = True
