"""
Client of Darkroom.

    from darkroom import Darkroom

    darkroom = Darkroom("http://localhost:8080", api_key="dkr_...")
    job = darkroom.generate("A fox in the snow")
    darkroom.download(job, "fox.png")
"""

from . import error_codes
from ._call import Policy
from .async_client import AsyncDarkroom
from .client import Darkroom
from .error_codes import *  # noqa: F403
from .errors import ConnectionFailed, DarkroomError, ServiceError, WaitTimeout, WebhookVerificationError
from .models import Image, ImageEvent, ImageJob, PartialImage
from .requests import GenerateOptions, InputImage, ListFilters
from .results import ImagePreview, JobList, Upload
from .webhooks import WebhookEvent, verify_webhook

__version__ = "0.1.0"

__all__ = [
    "AsyncDarkroom",
    "ConnectionFailed",
    "Darkroom",
    "DarkroomError",
    "GenerateOptions",
    "Image",
    "ImageEvent",
    "ImageJob",
    "ImagePreview",
    "InputImage",
    "JobList",
    "ListFilters",
    "PartialImage",
    "Policy",
    "ServiceError",
    "Upload",
    "WaitTimeout",
    "WebhookEvent",
    "WebhookVerificationError",
    "verify_webhook",
]
__all__ += error_codes.__all__
