"""The blocking client."""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING, Any, Callable, Iterator, Optional, Sequence, Union, overload

from ._sync import Transport, drive, run
from ._bodies import File, Input, json_body
from ._call import Deadline, Policy
from ._config import operations_of
from ._effects import Done, Operation
from ._operations import Submission, edit_request_body, image_of, job_path, request_body, target_of, without_none
from .models import Image, ImageEvent, ImageJob
from .requests import PathLike
from .results import ImagePreview, JobList, Upload
from .webhooks import verify_webhook

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Unpack

    from .requests import GenerateOptions, ListFilters

OnEvent = Callable[[ImageEvent], None]


class Darkroom:
    """
    A client whose methods block. Threads may share it.

    A method that creates a job sends one `Idempotency-Key` with every repeat, so a job is never paid twice. Pass a key
    of your own, such as the id of a row, if a restart of your program must find the same job. A client holds no
    connection, so it needs no close.
    """

    verify_webhook = staticmethod(verify_webhook)

    def __init__(
        self,
        url: Optional[str] = None,
        api_key: Optional[str] = None,
        *,
        policy: Optional[Policy] = None,
        connect_timeout_s: float = 10.0,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        self._operations = operations_of(url, api_key, policy)
        self._connect_timeout_s = connect_timeout_s
        self._tls = tls

    def _transport(self) -> Transport:
        return Transport(self._connect_timeout_s, self._tls)

    def _run(self, operation: Operation[Any], on_event: Optional[OnEvent] = None) -> Any:
        return run(operation, self._transport(), on_event)

    def generate(
        self,
        prompt: str,
        *,
        wait: bool = True,
        timeout_s: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        on_event: Optional[OnEvent] = None,
        **options: Unpack[GenerateOptions],
    ) -> ImageJob:
        """
        Creates a job and returns it when it has succeeded. Raises its error if it has not.

        With `wait=False` returns the accepted job at once. `on_event` gets every change and preview.
        """
        body = request_body(prompt, options)
        submission = Submission("/images", body, idempotency_key, wait, timeout_s)
        job: ImageJob = self._run(self._operations.submit(submission), on_event)
        return job

    def edit(
        self,
        prompt: str,
        images: Union[Input, Sequence[Input]],
        *,
        mask: Optional[Input] = None,
        markup: Optional[Input] = None,
        wait: bool = True,
        timeout_s: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        on_event: Optional[OnEvent] = None,
        **options: Unpack[GenerateOptions],
    ) -> ImageJob:
        """
        Edits images: files (a path, bytes or an open file), `https:` URLs, uploads, jobs, or references as in the API.

        Waits as `generate` does. The key covers the content of the files. Raises ValueError without an image.
        """
        body = edit_request_body(prompt, options, images, mask=mask, markup=markup)
        submission = Submission("/images", body, idempotency_key, wait, timeout_s)
        job: ImageJob = self._run(self._operations.submit(submission), on_event)
        return job

    def vary(
        self,
        job_id: str,
        *,
        index: Optional[int] = None,
        n: Optional[int] = None,
        prompt: Optional[str] = None,
        wait: bool = True,
        timeout_s: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        on_event: Optional[OnEvent] = None,
    ) -> ImageJob:
        """Creates a job with the same request and one image of a job as its input. Waits as `generate` does."""
        body = json_body(without_none({"index": index, "n": n, "prompt": prompt}))
        submission = Submission(f"{job_path(job_id)}/variations", body, idempotency_key, wait, timeout_s)
        job: ImageJob = self._run(self._operations.submit(submission), on_event)
        return job

    def retry(
        self,
        job_id: str,
        *,
        wait: bool = True,
        timeout_s: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        on_event: Optional[OnEvent] = None,
    ) -> ImageJob:
        """Creates a job with the request of a failed, canceled or expired job. Waits as `generate` does."""
        submission = Submission(f"{job_path(job_id)}/retry", None, idempotency_key, wait, timeout_s)
        job: ImageJob = self._run(self._operations.submit(submission), on_event)
        return job

    def wait(
        self, job_id: str, *, timeout_s: Optional[float] = None, on_event: Optional[OnEvent] = None
    ) -> ImageJob:
        """Waits for the end of a job. Raises its error if it has not succeeded."""
        job: ImageJob = self._run(self._operations.wait(job_id, Deadline(timeout_s)), on_event)
        return job

    def events(self, job_id: str, *, timeout_s: Optional[float] = None) -> Iterator[ImageEvent]:
        """Yields every change of a job until its end, once each, over all connections that it needs."""
        for each in drive(self._operations.events(job_id, Deadline(timeout_s)), self._transport()):
            if not isinstance(each, Done):
                yield each

    def get(self, job_id: str) -> ImageJob:
        """Returns a job."""
        job: ImageJob = self._run(self._operations.get(job_id))
        return job

    def list(self, **filters: Unpack[ListFilters]) -> JobList:
        """Returns a page of jobs, newest first."""
        page: JobList = self._run(self._operations.list(filters))
        return page

    def iterate(self, **filters: Unpack[ListFilters]) -> Iterator[ImageJob]:
        """Yields all jobs that match, page by page."""
        while True:
            page = self.list(**filters)
            yield from page.data
            if page.next_cursor is None:
                return
            filters["cursor"] = page.next_cursor

    def cancel(self, job_id: str) -> ImageJob:
        """Cancels a job. `cost.billing` shows if a charge is possible."""
        job: ImageJob = self._run(self._operations.cancel(job_id))
        return job

    def erase(self, job_id: str) -> None:
        """Erases images, inputs and prompts of a job."""
        self._run(self._operations.erase(job_id))

    def upload(self, file: File) -> Upload:
        """Stores a file that several jobs can use as an input."""
        upload: Upload = self._run(self._operations.upload(file))
        return upload

    def estimate(
        self,
        prompt: str,
        *,
        images: Optional[Union[Input, Sequence[Input]]] = None,
        mask: Optional[Input] = None,
        **options: Unpack[GenerateOptions],
    ) -> ImagePreview:
        """Validates a request and returns its cost. Nothing is stored or paid."""
        body = request_body(prompt, options, images=images, mask=mask)
        preview: ImagePreview = self._run(self._operations.estimate(body))
        return preview

    @overload
    def download(self, source: Union[ImageJob, Image], path: PathLike, *, index: int = ...) -> Path: ...

    @overload
    def download(self, source: Union[ImageJob, Image], path: None = ..., *, index: int = ...) -> bytes: ...

    def download(
        self, source: Union[ImageJob, Image], path: Optional[PathLike] = None, *, index: int = 0
    ) -> Union[Path, bytes]:
        """
        Writes an image to a file and returns its path. Without a path returns the bytes.

        The digest is checked. The file appears under its name only when it is complete.
        """
        operation = self._operations.download(image_of(source, index), target_of(path), Deadline())
        result: Union[Path, bytes] = self._run(operation)
        return result
