"""Other responses than jobs. The names and fields are those of the API document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional

from .models import ImageJob
from .requests import AcceptedRequest


@dataclass(frozen=True)
class JobList:
    """A page of jobs, newest first."""

    object: str
    data: List[ImageJob]
    has_more: bool
    next_cursor: Optional[str]


@dataclass(frozen=True)
class SecondsRange:
    """Median and 90th percentile, in seconds."""

    p50: float
    p90: float


@dataclass(frozen=True)
class ImageEstimate:
    """Cost and time of a request. `high_micro_usd` is an upper bound for one attempt of each image."""

    low_micro_usd: Optional[int]
    high_micro_usd: Optional[int]
    eta_s: Optional[SecondsRange]
    queue_depth: int


@dataclass(frozen=True)
class ImagePreview:
    """Result of a dry run."""

    object: str
    request: AcceptedRequest
    warnings: List[str]
    estimate: ImageEstimate


@dataclass(frozen=True)
class Upload:
    """A file that jobs can use as an input."""

    id: str
    object: str
    created_at: str
    expires_at: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class FieldIssue:
    """An invalid field of a request."""

    pointer: str
    detail: str


@dataclass(frozen=True)
class BudgetFigures:
    """The budget that refused a request."""

    name: str
    window: str
    limit_micro_usd: int
    spent_micro_usd: int
    held_micro_usd: int
    resets_at: Optional[str]


@dataclass(frozen=True)
class Problem:
    """Body of an error response (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    retryable: bool
    request_id: str
    errors: List[FieldIssue] = field(default_factory=list)
    error: Dict[str, Any] = field(default_factory=dict)
    budget: Optional[BudgetFigures] = None
    estimate_micro_usd: Optional[int] = None
    billing: Optional[str] = None
