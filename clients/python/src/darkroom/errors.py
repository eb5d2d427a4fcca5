"""Exceptions. Every error code of the service has its own class in `error_codes`."""

from __future__ import annotations

from typing import Any, List, Optional, Tuple

from .models import ImageJob
from .results import BudgetFigures, FieldIssue, Problem
from .values import Billing


class DarkroomError(Exception):
    """Base of all exceptions. If a job may exist, `idempotency_key` or `job_id` finds it again without a second payment."""

    job_id: Optional[str] = None
    idempotency_key: Optional[str] = None


class ConnectionFailed(DarkroomError):
    """No complete response arrived, after all repeats."""


class WaitTimeout(DarkroomError):
    """The job did not end in time. It continues on the server: `wait(error.job_id)` resumes."""


class WebhookVerificationError(DarkroomError):
    """The webhook is not genuine, or too old."""


MAX_ISSUES_IN_MESSAGE = 3


def _issues_text(problem: Problem) -> str:
    """Returns the first invalid fields for a message, because a log usually has nothing but the message."""
    issues = [each for each in problem.errors if each.detail != problem.detail]
    shown = [f"{each.pointer or 'body'}: {each.detail}" for each in issues[:MAX_ISSUES_IN_MESSAGE]]
    more = len(issues) - len(shown)
    return "".join(f" {each}" for each in shown) + (f" (and {more} more)" if more else "")


class ServiceError(DarkroomError):
    """
    The service refused a request, or a job ended without success. `problem` is set in the first case and `job` in the
    second. A code of a later release raises this class itself.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        retryable: bool = False,
        status: Optional[int] = None,
        problem: Optional[Problem] = None,
        job: Optional[ImageJob] = None,
        retry_after_s: Optional[float] = None,
    ) -> None:
        super().__init__(f"{code}: {detail}{_issues_text(problem) if problem else ''}")
        self.code = code
        self.detail = detail
        self.retryable = retryable
        self.status = status
        """HTTP status of the response. None if the error is that of a job."""
        self.problem = problem
        self.job = job
        self.retry_after_s = retry_after_s
        self.attempts = 1
        """Number of times that the request was sent."""
        self.job_id = job.id if job else None

    def __reduce__(self) -> Tuple[Any, ...]:
        # The default would call the class with the message only. Pools of processes wait forever for such an exception.
        return type(self), (self.code, self.detail), {**self.__dict__, "args": self.args}

    @property
    def issues(self) -> List[FieldIssue]:
        """Invalid fields of the request."""
        return self.problem.errors if self.problem else []

    @property
    def request_id(self) -> Optional[str]:
        """Id of the request, for support cases."""
        return self.problem.request_id if self.problem else None

    @property
    def billing(self) -> Billing:
        """Known charges. A refused request costs nothing."""
        return self.job.cost.billing if self.job else "none"

    @property
    def budget(self) -> Optional[BudgetFigures]:
        """The exhausted budget, if a budget refused the request."""
        return self.problem.budget if self.problem else None
