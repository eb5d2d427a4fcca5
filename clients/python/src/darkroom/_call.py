"""Requests with repeats. A request is repeated if no response arrived, or if the response says that a repeat may succeed."""

from __future__ import annotations

import email.utils
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Type, TypeVar

from ._decode import decode
from ._effects import Close, Open, Operation, Read, Request, Response, Sleep
from .error_codes import BY_CODE
from .errors import ConnectionFailed, ServiceError, WaitTimeout
from .results import Problem

T = TypeVar("T")
RETRYABLE_STATUSES = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True)
class Policy:
    """Limits of repeats and waits. Times are in seconds."""

    max_attempts: int = 8
    """Consecutive failures before an operation gives up."""
    first_delay_s: float = 0.5
    max_delay_s: float = 8.0
    max_retry_after_s: float = 60.0
    """A longer `Retry-After` is an error, so that the caller decides."""
    read_timeout_s: float = 30.0
    """Maximum silence of the service, outside of waits."""

    def delay(self, failures: int) -> float:
        """Returns a random delay after a number of consecutive failures."""
        # A larger power is no float. A caller may allow any number of failures.
        longest = min(self.max_delay_s, self.first_delay_s * 2 ** min(failures - 1, 64))
        return float(longest * random.uniform(0.5, 1.0))


@dataclass
class Deadline:
    """End of the time that the caller allows. Without it, only the service limits a wait."""

    timeout_s: Optional[float] = None
    _ends: Optional[float] = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._ends = None if self.timeout_s is None else time.monotonic() + self.timeout_s

    def limit(self, seconds: float) -> float:
        """Returns a time that does not exceed the rest. Raises WaitTimeout if no time is left."""
        if self._ends is None:
            return seconds
        rest = self._ends - time.monotonic()
        if rest <= 0:
            raise WaitTimeout(f"no result within {self.timeout_s} seconds")
        return min(seconds, rest)


@dataclass(frozen=True)
class Reply:
    """A complete response without an error status."""

    status: int
    headers: Dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the parsed body."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ConnectionFailed("the response is not JSON") from error

    def read(self, cls: Type[T]) -> T:
        """Returns the body as a dataclass."""
        try:
            return decode(cls, self.json())
        except ValueError as error:
            raise ConnectionFailed(f"the response is not of Darkroom: {error}") from error


def call(request: Request, policy: Policy, deadline: Deadline, *, timeout_s: float = 0) -> Operation[Reply]:
    """Sends a request until a response without a temporary error arrives."""
    failures = 0
    while True:
        try:
            response = yield Open(request, deadline.limit(timeout_s or policy.read_timeout_s))
            body = yield from read_all(response, policy, deadline)
            if response.status < 300:
                return Reply(response.status, response.headers, body)
            raise error_of(response, body)
        except (ConnectionFailed, ServiceError) as error:
            failures += 1
            yield from pause_after(error, failures, policy, deadline)


def pause_after(error: Exception, failures: int, policy: Policy, deadline: Deadline) -> Operation[None]:
    """Waits before the next attempt, or raises the error if a further attempt makes no sense."""
    delay = policy.delay(failures)
    if isinstance(error, ServiceError):
        error.attempts = failures
        if not error.retryable or (error.retry_after_s or 0) > policy.max_retry_after_s:
            raise error
        delay = max(delay, error.retry_after_s or 0)
    if failures >= policy.max_attempts:
        raise error
    yield Sleep(deadline.limit(delay))


def read_all(response: Response, policy: Policy, deadline: Deadline) -> Operation[bytes]:
    """Reads a body to its end and closes it."""
    parts = []
    while True:
        part = yield Read(response, deadline.limit(policy.read_timeout_s))
        if not part:
            break
        parts.append(part)
    yield Close(response)
    return b"".join(parts)


def error_of(response: Response, body: bytes) -> ServiceError:
    """Returns the exception of an error or a redirect. Proxies send bodies that are no problems."""
    retry_after_s = retry_after(response.headers.get("retry-after"))
    try:
        problem = decode(Problem, json.loads(body))
    except ValueError:
        problem = None
    if problem is None or not problem.code:
        target = response.headers.get("location")
        return ServiceError(
            f"http_{response.status}",
            f"The server redirects to {target}. Set url or DARKROOM_URL to that server."
            if target
            else "The response is not one of Darkroom: " + body[:200].decode("utf-8", "replace"),
            retryable=response.status in RETRYABLE_STATUSES,
            status=response.status,
            retry_after_s=retry_after_s,
        )
    return BY_CODE.get(problem.code, ServiceError)(
        problem.code,
        problem.detail or problem.title,
        retryable=bool(problem.retryable),
        status=response.status,
        problem=problem,
        retry_after_s=retry_after_s,
    )


def retry_after(value: Optional[str]) -> Optional[float]:
    """Returns the seconds of a `Retry-After` header, which is a number or a date."""
    if value is None:
        return None
    # Other scripts have digits too, which are no numbers here.
    if re.fullmatch("[0-9]+", value.strip()):
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
