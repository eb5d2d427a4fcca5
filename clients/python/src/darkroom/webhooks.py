"""Verification of webhooks (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any, Mapping, Sequence, Union

from ._decode import decode
from .errors import WebhookVerificationError
from .models import ImageJob

TOLERANCE_S = 300


@dataclass(frozen=True)
class WebhookEvent:
    """A verified event. Deduplicate by `id`, because an event may arrive more than once."""

    id: str
    type: str
    timestamp: str
    data: Any
    """The job of an `image.*` event, otherwise the object that the service sent."""
    truncated: bool = False
    """Whether texts of the job are cut. `GET /images/{id}` returns the complete job."""

    @property
    def job(self) -> ImageJob:
        """The job of an `image.*` event."""
        if not isinstance(self.data, ImageJob):
            raise AttributeError(f"{self.type} has no job")
        return self.data


def verify_webhook(
    secret: Union[str, Sequence[str]],
    headers: Mapping[str, str],
    body: Union[bytes, str],
    *,
    tolerance_s: int = TOLERANCE_S,
) -> WebhookEvent:
    """
    Returns the event of a genuine webhook, otherwise raises WebhookVerificationError.

    `body` is the raw body, because the signature covers its bytes. Pass several secrets while one is replaced.
    """
    secrets = [each for each in ([secret] if isinstance(secret, str) or secret is None else secret) if each]
    if not secrets:
        raise ValueError("The secret of the webhook is missing.")
    raw = _bytes_of(body) if isinstance(body, str) else body
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        event_id, timestamp = lower["webhook-id"], lower["webhook-timestamp"]
        signatures = lower["webhook-signature"].split()
    except KeyError as error:
        raise WebhookVerificationError(f"the header {error.args[0]} is missing") from None
    if not re.fullmatch(r"[0-9]{1,15}", timestamp) or abs(time.time() - int(timestamp)) > tolerance_s:
        raise WebhookVerificationError("the timestamp is too old, or in the future")
    signed = _bytes_of(f"{event_id}.{timestamp}.") + raw
    expected = [_signature(each, signed) for each in secrets]
    pairs = ((ours, theirs) for ours in expected for theirs in signatures)
    # Every pair is compared, so that the time shows nothing about the secrets.
    if not any([hmac.compare_digest(ours.encode(), _bytes_of(theirs)) for ours, theirs in pairs]):
        raise WebhookVerificationError("no signature matches")
    return _event(event_id, raw)


def _bytes_of(text: str) -> bytes:
    """Returns the bytes of a text of the sender. Servers put surrogates in place of bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret[len("whsec_") :] if secret.startswith("whsec_") else secret, validate=True)
    except binascii.Error:
        key = b""
    # Everybody could sign with an empty key.
    if not key:
        raise ValueError("The secret must be whsec_ and base64.")
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _event(event_id: str, raw: bytes) -> WebhookEvent:
    try:
        body = json.loads(raw)
        kind, timestamp, data = str(body["type"]), str(body["timestamp"]), body["data"]
    except (ValueError, KeyError, TypeError):
        raise WebhookVerificationError("the body is not an event") from None
    is_job = isinstance(data, dict) and data.get("object") == "image_job"
    return WebhookEvent(
        event_id, kind, timestamp, decode(ImageJob, data) if is_job else data, bool(body.get("truncated"))
    )
