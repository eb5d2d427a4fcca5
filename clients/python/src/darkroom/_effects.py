"""
Effects of operations. An operation is a generator without I/O: it yields effects, and a driver performs them. The
blocking and the asynchronous client therefore share all rules of retries and waits.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any, Dict, Generator, Mapping, Sequence, TypeVar, Union

from .models import ImageEvent


@dataclass(frozen=True)
class FilePiece:
    """Bytes of a file, which are read when they are sent."""

    path: "os.PathLike[str]"
    size: int


Piece = Union[bytes, FilePiece]


@dataclass(frozen=True)
class Request:
    """An HTTP request to an absolute URL."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Sequence[Piece] = ()

    @property
    def size(self) -> int:
        """Length of the body in bytes."""
        return sum(each.size if isinstance(each, FilePiece) else len(each) for each in self.body)


@dataclass
class Response:
    """Head of an HTTP response. Header names are lower case. `stream` belongs to the driver."""

    status: int
    headers: Dict[str, str]
    stream: Any


@dataclass(frozen=True)
class Open:
    """Sends a request and reads the head of its response. The timeout counts from the end of the request."""

    request: Request
    timeout_s: float


@dataclass(frozen=True)
class Read:
    """Reads the next bytes of a body. The result is empty at its end."""

    response: Response
    timeout_s: float


@dataclass(frozen=True)
class Close:
    """Closes a response, read or not."""

    response: Response


@dataclass(frozen=True)
class Sleep:
    """Waits."""

    seconds: float


@dataclass(frozen=True)
class Emit:
    """Passes an event to the caller."""

    event: ImageEvent


@dataclass(frozen=True)
class Done:
    """Result of an operation. Only drivers make it."""

    value: Any


Effect = Union[Open, Read, Close, Sleep, Emit]
T = TypeVar("T")
Operation = Generator[Effect, Any, T]
