"""Jobs and their parts. The names and fields are those of the API document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from .requests import AcceptedRequest
from .values import AttemptKind, AttemptState, Billing, InputRole, InputSourceType, JobStage, JobStatus

TERMINAL = frozenset(("succeeded", "failed", "canceled", "expired"))


@dataclass(frozen=True)
class JobPrompt:
    """Versions of the prompt."""

    original: str
    enhanced: Optional[str]
    revised: Optional[str]


@dataclass(frozen=True)
class Image:
    """A stored image. `url` works without a key until `url_expires_at`."""

    index: int
    url: str
    url_expires_at: str
    content_url: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    thumbhash: Optional[str]
    thumbnail_url: Optional[str]
    variants: Dict[str, Any]


@dataclass(frozen=True)
class PartialImage:
    """A preview of an image that is not finished."""

    index: int
    partial_image_index: int
    url: str
    url_expires_at: str
    content_url: str
    content_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class ProviderError:
    """Error of the provider."""

    status: Optional[int]
    code: Optional[str]
    request_id: Optional[str]
    categories: List[str]


@dataclass(frozen=True)
class JobError:
    """Reason why a job, or one of its images, failed."""

    code: str
    message: str
    stage: Optional[JobStage]
    retryable: bool
    billing: Billing
    index: Optional[int]
    provider: Optional[ProviderError]


@dataclass(frozen=True)
class InputSource:
    """Origin of an input."""

    type: InputSourceType
    upload_id: Optional[str] = None
    image_id: Optional[str] = None
    index: Optional[int] = None
    url: Optional[str] = None


@dataclass(frozen=True)
class JobInput:
    """An input of an edit, as stored and sent."""

    role: InputRole
    content_type: Optional[str]
    width: Optional[int]
    height: Optional[int]
    size_bytes: Optional[int]
    sha256: Optional[str]
    source: InputSource


@dataclass(frozen=True)
class Attempt:
    """One provider call. An unknown cost is None."""

    kind: AttemptKind
    provider: Optional[str]
    index: int
    state: AttemptState
    started_at: str
    finished_at: Optional[str]
    provider_request_id: Optional[str]
    error: Optional[str]
    cost_micro_usd: Optional[int]


@dataclass(frozen=True)
class TokenUsage:
    """Tokens of all calls of a job."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


@dataclass(frozen=True)
class JobCost:
    """Cost of a job in micro-USD. An unknown cost is None, never 0."""

    micro_usd: Optional[int]
    estimated: bool
    billing: Billing
    price_version: str


@dataclass(frozen=True)
class JobQueue:
    """Position of a queued job."""

    position: Optional[int]
    eta_s: Optional[float]


@dataclass(frozen=True)
class JobUrls:
    """Addresses of a job."""

    self: str
    cancel: str
    events: str
    content: str


@dataclass(frozen=True)
class ImageJob:
    """A job: the same shape in polls, lists, event streams and webhooks."""

    id: str
    object: str
    status: JobStatus
    stage: Optional[JobStage]
    created_at: str
    updated_at: str
    started_at: Optional[str]
    finished_at: Optional[str]
    expires_at: Optional[str]
    cancel_requested_at: Optional[str]
    request: AcceptedRequest
    prompt: JobPrompt
    images: List[Image]
    partial: bool
    error: Optional[JobError]
    image_errors: List[JobError]
    warnings: List[str]
    provider: Optional[str]
    livemode: Optional[bool]
    inputs: List[JobInput]
    usage: Optional[TokenUsage]
    cost: JobCost
    queue: JobQueue
    attempts: List[Attempt]
    metadata: Dict[str, str]
    parent_id: Optional[str]
    urls: JobUrls

    @property
    def has_ended(self) -> bool:
        """Whether the status is terminal."""
        return self.status in TERMINAL


@dataclass(frozen=True)
class ImageEvent:
    """A change of a job. `job` is set in the last event only."""

    type: str
    id: str
    status: JobStatus
    stage: Optional[JobStage]
    at: str
    image: Optional[Image] = None
    partial_image: Optional[PartialImage] = None
    job: Optional[ImageJob] = None
