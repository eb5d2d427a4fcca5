"""Downloads with a check of their content."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Dict, Optional
from urllib.parse import urljoin

from ._call import Deadline, Policy, error_of, pause_after, read_all
from ._effects import Close, Open, Operation, Read, Request, Response
from .errors import ConnectionFailed, ServiceError
from .models import Image

MAX_REDIRECTS = 3


class Download:
    """
    One download. It begins again after a broken connection. A file appears under its name only if it is complete and its
    digest matches.
    """

    def __init__(self, base_url: str, headers: Dict[str, str], policy: Policy, deadline: Deadline) -> None:
        self._base_url = base_url
        self._headers = headers
        self._policy = policy
        self._deadline = deadline

    def to_file(self, image: Image, path: "os.PathLike[str]") -> Operation[Path]:
        """Writes an image to a file and returns its path."""
        target = Path(path)
        # Several threads or tasks may download to the same path.
        partial = target.with_name(f".darkroom-{secrets.token_hex(8)}.part")
        try:
            with open(partial, "xb") as file:
                yield from self._repeat(image, file)
            os.replace(partial, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(partial)
        return target

    def to_memory(self, image: Image) -> Operation[bytes]:
        """Returns the bytes of an image."""
        sink = BytesIO()
        yield from self._repeat(image, sink)
        return sink.getvalue()

    def _repeat(self, image: Image, sink: BinaryIO) -> Operation[None]:
        failures = 0
        while True:
            try:
                return (yield from self._once(image, sink))
            except (ConnectionFailed, ServiceError) as error:
                failures += 1
                yield from pause_after(error, failures, self._policy, self._deadline)

    def _once(self, image: Image, sink: BinaryIO) -> Operation[None]:
        sink.seek(0)
        sink.truncate()
        digest = hashlib.sha256()
        response = yield from self._open(self._base_url + image.content_url)
        while True:
            part = yield Read(response, self._deadline.limit(self._policy.read_timeout_s))
            if not part:
                break
            digest.update(part)
            sink.write(part)
        yield Close(response)
        if digest.hexdigest() != image.sha256:
            raise ConnectionFailed("the bytes of the image do not match its digest")

    def _open(self, url: str) -> Operation[Response]:
        """Follows redirects to the storage. A signed link must not get the API key."""
        headers = self._headers
        for _ in range(MAX_REDIRECTS + 1):
            request = Request("GET", url, headers)
            response: Response = yield Open(request, self._deadline.limit(self._policy.read_timeout_s))
            location: Optional[str] = response.headers.get("location")
            if response.status in (301, 302, 303, 307, 308) and location:
                yield Close(response)
                url, headers = urljoin(url, location), {}
                continue
            if response.status == 200:
                return response
            body = yield from read_all(response, self._policy, self._deadline)
            raise error_of(response, body)
        raise ConnectionFailed("too many redirects")
