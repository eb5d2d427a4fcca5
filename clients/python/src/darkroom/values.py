"""Values of fields. The service sends no other values."""

from typing import Literal

JobStatus = Literal["queued", "running", "succeeded", "failed", "canceled", "expired"]
JobStage = Literal["moderating", "enhancing", "generating", "storing", "processing"]
InputRole = Literal["image", "mask", "markup", "other"]
InputSourceType = Literal["upload", "image", "url", "data", "multipart", "other"]
Priority = Literal["low", "normal", "high"]
EnhanceMode = Literal["off", "auto", "always"]
UncertainPolicy = Literal["retry", "fail"]
AttemptKind = Literal["generate", "edit", "enhance", "other"]
AttemptState = Literal["calling", "received", "stored", "rejected", "uncertain", "unusable", "wasted", "other"]
Billing = Literal["none", "possible", "charged"]
