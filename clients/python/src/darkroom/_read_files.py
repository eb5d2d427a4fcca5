"""Reading of the files of a body while it is sent."""

from __future__ import annotations

import errno
from typing import Iterator, Sequence

from ._effects import FilePiece, Piece

PART_BYTES = 64 * 1024


class UnreadableFile(Exception):
    """A local file cannot be read. Its cause is the error for the caller. A repeat of the request would not help."""


def bytes_of(body: Sequence[Piece]) -> Iterator[bytes]:
    """
    Yields the bytes of a body, in parts. Raises UnreadableFile, so that the driver does not report a fault of the network.
    A file that became shorter is unreadable, because the service would wait for the rest of the request.
    """
    for piece in body:
        if not isinstance(piece, FilePiece):
            yield piece
            continue
        try:
            with open(piece.path, "rb") as file:
                rest = piece.size
                while rest:
                    part = file.read(min(PART_BYTES, rest))
                    if not part:
                        raise OSError(errno.EIO, "The file became shorter while it was sent", str(piece.path))
                    rest -= len(part)
                    yield part
        except OSError as error:
            raise UnreadableFile() from error
