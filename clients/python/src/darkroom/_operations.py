"""The verbs, as operations that both clients run."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Union
from urllib.parse import quote, urlencode

from ._bodies import Body, File, Input, edit_body, file_body, inputs_of, json_body
from ._call import Deadline, Policy, Reply, call
from ._download import Download
from ._effects import Operation, Request
from ._waiting import Wait
from .error_codes import BY_CODE, AlreadyTerminal, Canceled, Erased
from .errors import DarkroomError, ServiceError
from .models import Image, ImageJob
from .results import ImagePreview, JobList, Upload


@dataclass(frozen=True)
class Submission:
    """How a job is created."""

    path: str
    body: Optional[Body]
    idempotency_key: Optional[str]
    wait: bool
    timeout_s: Optional[float]


@dataclass(frozen=True)
class Operations:
    """Operations of one service and key."""

    base_url: str
    api_key: str
    policy: Policy = field(default_factory=Policy)

    @property
    def _headers(self) -> Dict[str, str]:
        return {"authorization": f"Bearer {self.api_key}", "accept": "application/json"}

    def _call(
        self,
        method: str,
        path: str,
        body: Optional[Body] = None,
        *,
        deadline: Optional[Deadline] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Operation[Reply]:
        every = {**self._headers, **(headers or {})}
        if body:
            every["content-type"] = body.content_type
        request = Request(method, self.base_url + path, every, body.pieces if body else ())
        return (yield from call(request, self.policy, deadline or Deadline()))

    def submit(self, submission: Submission) -> Operation[ImageJob]:
        """Creates a job under one key, however often the request is sent, and waits for its end."""
        # An empty key is a fault of the program. A random key would hide it and pay for a second job.
        key = submission.idempotency_key
        if key is None:
            key = f"py-{secrets.token_hex(16)}"
        if not re.fullmatch(r"[!-~]{1,255}", key):
            raise ValueError("idempotency_key must be 1 to 255 visible ASCII characters without spaces.")
        deadline = Deadline(submission.timeout_s)
        try:
            reply = yield from self._call(
                "POST", submission.path, submission.body, deadline=deadline, headers={"idempotency-key": key}
            )
            job = reply.read(ImageJob)
            if not submission.wait:
                return job
            return (yield from self.wait(job.id, deadline, job))
        except DarkroomError as error:
            error.idempotency_key = key
            raise

    def wait(self, job_id: str, deadline: Deadline, job: Optional[ImageJob] = None) -> Operation[ImageJob]:
        """Waits for the end of a job. Raises the error of a job that ended without success."""
        if job is None or not job.has_ended:
            url = self.base_url + job_path(job_id)
            job = yield from Wait(url, self._headers, self.policy, deadline).run(job_id)
        if job.status == "succeeded":
            return job
        raise error_of_job(job)

    def events(self, job_id: str, deadline: Deadline) -> Operation[None]:
        """Emits the events of a job until its end."""
        url = self.base_url + job_path(job_id)
        yield from Wait(url, self._headers, self.policy, deadline).run(job_id)

    def get(self, job_id: str) -> Operation[ImageJob]:
        """Returns a job."""
        reply = yield from self._call("GET", job_path(job_id))
        return reply.read(ImageJob)

    def list(self, filters: Mapping[str, Any]) -> Operation[JobList]:
        """Returns a page of jobs."""
        given = without_none(filters)
        metadata = given.pop("metadata", {})
        pairs = [*given.items(), *((f"metadata[{name}]", value) for name, value in metadata.items())]
        reply = yield from self._call("GET", "/images" + (f"?{urlencode(pairs)}" if pairs else ""))
        return reply.read(JobList)

    def cancel(self, job_id: str) -> Operation[ImageJob]:
        """Cancels a job."""
        try:
            reply = yield from self._call("POST", f"{job_path(job_id)}/cancel")
        except AlreadyTerminal as error:
            # The response of an earlier attempt may have been lost.
            job = (yield from self.get(job_id)) if error.attempts > 1 else None
            if job is None or job.status != "canceled":
                raise
            return job
        return reply.read(ImageJob)

    def erase(self, job_id: str) -> Operation[None]:
        """Erases a job. An erased job remains erased."""
        try:
            yield from self._call("DELETE", job_path(job_id))
        except Erased:
            return

    def upload(self, file: File) -> Operation[Upload]:
        """Stores a file."""
        reply = yield from self._call("POST", "/uploads", file_body(file))
        return reply.read(Upload)

    def estimate(self, body: Body) -> Operation[ImagePreview]:
        """Validates a request and estimates its cost. Nothing is stored or paid."""
        reply = yield from self._call("POST", "/images?dry_run=true", body)
        return reply.read(ImagePreview)

    def download(self, image: Image, path: Optional["os.PathLike[str]"], deadline: Deadline) -> Operation[Any]:
        """Writes an image to a file and returns the path, or returns the bytes."""
        download = Download(self.base_url, self._headers, self.policy, deadline)
        return (yield from download.to_memory(image) if path is None else download.to_file(image, path))


def job_path(job_id: str) -> str:
    """Returns the path of a job. An empty id would select the list of jobs, and dots another path."""
    if job_id in ("", ".", ".."):
        raise ValueError(f"job_id must be the id of a job, not {job_id!r}.")
    return f"/images/{quote(job_id, safe='')}"


def request_body(prompt: str, options: Mapping[str, Any], **inputs: Optional[Union[Input, Sequence[Input]]]) -> Body:
    """Returns the body of a request with its inputs. An option that is None is not sent."""
    given = {role: inputs_of(value) for role, value in inputs.items() if value is not None}
    empty = next((role for role, values in given.items() if not values), None)
    # Without its inputs, the request would be a paid generation.
    if empty:
        raise ValueError(f"{empty} must contain at least one input.")
    fields = {"prompt": prompt, **without_none(options)}
    return edit_body(fields, given) if given else json_body(fields)


def edit_request_body(
    prompt: str,
    options: Mapping[str, Any],
    images: Union[Input, Sequence[Input]],
    *,
    mask: Optional[Input],
    markup: Optional[Input],
) -> Body:
    """Returns the body of an edit. Raises ValueError without an image."""
    if images is None:
        raise ValueError("images must contain at least one input.")
    return request_body(prompt, options, images=images, mask=mask, markup=markup)


def without_none(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def image_of(source: Union[ImageJob, Image], index: int) -> Image:
    """Returns an image of a job."""
    if isinstance(source, Image):
        return source
    found = next((each for each in source.images if each.index == index), None)
    if found is None:
        raise LookupError(f"{source.id} has no image {index}: {source.status}")
    return found


def target_of(path: Optional[Union[str, "os.PathLike[str]"]]) -> Optional[Path]:
    """Returns the path of a download."""
    return None if path is None else Path(path)


def error_of_job(job: ImageJob) -> ServiceError:
    """Returns the exception of a job that ended without success."""
    if job.error is None:
        return Canceled("canceled", "The job was canceled", job=job)
    error = job.error
    return BY_CODE.get(error.code, ServiceError)(error.code, error.message, retryable=error.retryable, job=job)
