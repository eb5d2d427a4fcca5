"""Fields of requests, as the API names them."""

from __future__ import annotations

import os
from typing import Any, Dict, List, TypedDict, Union

from .values import EnhanceMode, JobStatus, Priority, UncertainPolicy


class SvgReasoning(TypedDict, total=False):
    """Effort of the model that writes an SVG."""

    effort: str


class SvgOptions(TypedDict, total=False):
    """Options of `output_format` svg."""

    model: str
    reasoning: SvgReasoning


class _PresetName(TypedDict):
    name: str


class PresetSelection(_PresetName, total=False):
    """A preset with values of its variables."""

    variables: Dict[str, str]


class _WebhookUrl(TypedDict):
    url: str


class WebhookDestination(_WebhookUrl, total=False):
    """URL for the events of this job."""

    events: List[str]


class Retention(TypedDict, total=False):
    """Retention of images and of the record, in seconds."""

    media_s: int
    record_s: int


class InputImage(TypedDict, total=False):
    """An input by reference: `url`, `upload_id`, `image_id` with `index`, or `data`."""

    url: str
    upload_id: str
    image_id: str
    index: int
    data: str


class GenerateOptions(TypedDict, total=False):
    """Fields of a request besides the prompt and the inputs."""

    model: str
    n: int
    size: str
    quality: str
    complexity: str
    background: str
    moderation: str
    output_format: str
    output_compression: int
    frame_count: int
    frame_duration_ms: int
    svg: SvgOptions
    input_fidelity: str
    partial_images: int
    safety_identifier: str
    enhance: EnhanceMode
    preset: Union[str, PresetSelection]
    metadata: Dict[str, str]
    webhook: WebhookDestination
    priority: Priority
    queue_ttl_s: int
    run_timeout_s: int
    retention: Retention
    max_cost_micro_usd: int
    on_uncertain: UncertainPolicy
    provider_options: Dict[str, Any]


class AcceptedRequest(GenerateOptions, total=False):
    """The request with every default filled in."""

    prompt: str


class ListFilters(TypedDict, total=False):
    """Filters of a list of jobs. Times are RFC 3339."""

    limit: int
    cursor: str
    status: JobStatus
    model: str
    parent: str
    created_after: str
    created_before: str
    metadata: Dict[str, str]


PathLike = Union[str, "os.PathLike[str]"]
"""Path of a file."""
