"""Parser of event streams."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Iterator, Optional

from ._decode import decode
from .errors import ConnectionFailed
from .models import ImageEvent


@dataclass(frozen=True)
class ServerEvent:
    """An event of a stream, with its id for `Last-Event-ID`."""

    id: Optional[str]
    event: ImageEvent


class EventParser:
    """Splits the bytes of a stream into events. An event that a broken connection cut is dropped."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[ServerEvent]:
        """Yields the events that are complete now."""
        self._buffer = (self._buffer + data).replace(b"\r\n", b"\n")
        *blocks, self._buffer = self._buffer.split(b"\n\n")
        for block in blocks:
            try:
                parsed = _parse(block.decode("utf-8"))
            except ValueError as error:
                raise ConnectionFailed("the connection damaged an event") from error
            if parsed:
                yield parsed


def _parse(block: str) -> Optional[ServerEvent]:
    data, event_id = [], None
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "data":
            data.append(value)
        elif name == "id":
            event_id = value
    if not data:
        return None
    return ServerEvent(event_id, decode(ImageEvent, json.loads("\n".join(data))))
