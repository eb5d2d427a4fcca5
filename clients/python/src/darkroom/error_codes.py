"""One exception for each error code. Written by `npm run docs` from the table of errors."""

from __future__ import annotations

from typing import Dict, Type

from .errors import ServiceError

__all__ = [
    "InvalidJson",
    "InvalidRequest",
    "InvalidIdempotencyKey",
    "Unauthorized",
    "BudgetExceeded",
    "InsufficientScope",
    "OriginNotAllowed",
    "TenantSuspended",
    "ModelNotAllowed",
    "PresetRequired",
    "TooManyRecords",
    "LinkExpired",
    "NotFound",
    "MethodNotAllowed",
    "RequestTimeout",
    "AlreadyTerminal",
    "NotRetryableJob",
    "NothingToSettle",
    "EndpointDisabled",
    "TooManySecrets",
    "KeyRevoked",
    "OwnKey",
    "TooManyUploads",
    "TooManyKeys",
    "TooManyEndpoints",
    "Canceled",
    "Erased",
    "PayloadTooLarge",
    "UriTooLong",
    "UnsupportedMediaType",
    "ValidationFailed",
    "IdempotencyKeyReused",
    "ModelRetired",
    "ModelUnknown",
    "CostUnknown",
    "MaxCostExceeded",
    "InputInvalid",
    "DestinationForbidden",
    "TooManyRequests",
    "ModerationThrottled",
    "HeadersTooLarge",
    "Internal",
    "QueueFull",
    "StoreFull",
    "StoreUnavailable",
    "StorageUnavailable",
    "NewerRelease",
    "ShuttingDown",
    "InputUnavailable",
    "ModerationBlocked",
    "ProviderRateLimited",
    "ProviderOverloaded",
    "ProviderUnreachable",
    "ProviderQuotaExhausted",
    "ProviderUnauthorized",
    "ProviderRejected",
    "ProviderOutcomeUnknown",
    "ProviderUnusableAnswer",
    "StorageFailed",
    "QueueTimeout",
    "RunTimeout",
    "WorkerLost",
]


class InvalidJson(ServiceError):
    """The body is not valid JSON."""


class InvalidRequest(ServiceError):
    """The request is malformed."""


class InvalidIdempotencyKey(ServiceError):
    """The Idempotency-Key is malformed."""


class Unauthorized(ServiceError):
    """A valid API key is needed."""


class BudgetExceeded(ServiceError):
    """The budget is exhausted."""


class InsufficientScope(ServiceError):
    """The API key lacks the scope for this."""


class OriginNotAllowed(ServiceError):
    """Pages of this origin may not call."""


class TenantSuspended(ServiceError):
    """The tenant is suspended."""


class ModelNotAllowed(ServiceError):
    """The API key does not allow the model."""


class PresetRequired(ServiceError):
    """The API key allows presets only."""


class TooManyRecords(ServiceError):
    """The records of the tenant reach their limit."""


class LinkExpired(ServiceError):
    """The link is expired or was altered."""


class NotFound(ServiceError):
    """Not found."""


class MethodNotAllowed(ServiceError):
    """The method is not allowed here."""


class RequestTimeout(ServiceError):
    """The request took too long to arrive."""


class AlreadyTerminal(ServiceError):
    """The job has already ended."""


class NotRetryableJob(ServiceError):
    """Only a job that ended without success can be retried."""


class NothingToSettle(ServiceError):
    """The job has no charge that can be settled."""


class EndpointDisabled(ServiceError):
    """The webhook endpoint is switched off."""


class TooManySecrets(ServiceError):
    """Too many secrets are valid at the same time."""


class KeyRevoked(ServiceError):
    """The API key is revoked."""


class OwnKey(ServiceError):
    """The change would lock out the API key that requests it."""


class TooManyUploads(ServiceError):
    """The uploads take all the space of the tenant."""


class TooManyKeys(ServiceError):
    """The tenant has as many keys as allowed."""


class TooManyEndpoints(ServiceError):
    """There are as many endpoints as allowed."""


class Canceled(ServiceError):
    """The job was canceled."""


class Erased(ServiceError):
    """The job was erased."""


class PayloadTooLarge(ServiceError):
    """The body is too large."""


class UriTooLong(ServiceError):
    """The address is too long."""


class UnsupportedMediaType(ServiceError):
    """The type of the body is not accepted."""


class ValidationFailed(ServiceError):
    """The request is not valid."""


class IdempotencyKeyReused(ServiceError):
    """The Idempotency-Key was used for another request."""


class ModelRetired(ServiceError):
    """The model is retired."""


class ModelUnknown(ServiceError):
    """The model is not in the catalogue."""


class CostUnknown(ServiceError):
    """The cost of the request is unknown."""


class MaxCostExceeded(ServiceError):
    """The estimate is above max_cost_micro_usd."""


class InputInvalid(ServiceError):
    """An input image cannot be used."""


class DestinationForbidden(ServiceError):
    """The address may not be called."""


class TooManyRequests(ServiceError):
    """Too many requests."""


class ModerationThrottled(ServiceError):
    """Too many prompts of the tenant were blocked."""


class HeadersTooLarge(ServiceError):
    """The headers are too large."""


class Internal(ServiceError):
    """Something went wrong on our side."""


class QueueFull(ServiceError):
    """The queue is full."""


class StoreFull(ServiceError):
    """The job store has no room for new work."""


class StoreUnavailable(ServiceError):
    """The job store is not available."""


class StorageUnavailable(ServiceError):
    """The image storage cannot be reached."""


class NewerRelease(ServiceError):
    """The job was written by a newer release of the service."""


class ShuttingDown(ServiceError):
    """This instance is shutting down."""


class InputUnavailable(ServiceError):
    """An input image could not be fetched."""


class ModerationBlocked(ServiceError):
    """The provider refused the content."""


class ProviderRateLimited(ServiceError):
    """The provider limits the rate of calls."""


class ProviderOverloaded(ServiceError):
    """The provider is overloaded."""


class ProviderUnreachable(ServiceError):
    """The provider cannot be reached."""


class ProviderQuotaExhausted(ServiceError):
    """The provider account has no credit left."""


class ProviderUnauthorized(ServiceError):
    """The provider refused our credentials."""


class ProviderRejected(ServiceError):
    """The provider refused the request."""


class ProviderOutcomeUnknown(ServiceError):
    """It is unknown whether the provider made the image."""


class ProviderUnusableAnswer(ServiceError):
    """The provider sent no usable image."""


class StorageFailed(ServiceError):
    """The image could not be stored."""


class QueueTimeout(ServiceError):
    """The job waited longer than queue_ttl_s."""


class RunTimeout(ServiceError):
    """The job ran longer than run_timeout_s."""


class WorkerLost(ServiceError):
    """Workers died too often while running this job."""


BY_CODE: Dict[str, Type[ServiceError]] = {
    "invalid_json": InvalidJson,
    "invalid_request": InvalidRequest,
    "invalid_idempotency_key": InvalidIdempotencyKey,
    "unauthorized": Unauthorized,
    "budget_exceeded": BudgetExceeded,
    "insufficient_scope": InsufficientScope,
    "origin_not_allowed": OriginNotAllowed,
    "tenant_suspended": TenantSuspended,
    "model_not_allowed": ModelNotAllowed,
    "preset_required": PresetRequired,
    "too_many_records": TooManyRecords,
    "link_expired": LinkExpired,
    "not_found": NotFound,
    "method_not_allowed": MethodNotAllowed,
    "request_timeout": RequestTimeout,
    "already_terminal": AlreadyTerminal,
    "not_retryable_job": NotRetryableJob,
    "nothing_to_settle": NothingToSettle,
    "endpoint_disabled": EndpointDisabled,
    "too_many_secrets": TooManySecrets,
    "key_revoked": KeyRevoked,
    "own_key": OwnKey,
    "too_many_uploads": TooManyUploads,
    "too_many_keys": TooManyKeys,
    "too_many_endpoints": TooManyEndpoints,
    "canceled": Canceled,
    "erased": Erased,
    "payload_too_large": PayloadTooLarge,
    "uri_too_long": UriTooLong,
    "unsupported_media_type": UnsupportedMediaType,
    "validation_failed": ValidationFailed,
    "idempotency_key_reused": IdempotencyKeyReused,
    "model_retired": ModelRetired,
    "model_unknown": ModelUnknown,
    "cost_unknown": CostUnknown,
    "max_cost_exceeded": MaxCostExceeded,
    "input_invalid": InputInvalid,
    "destination_forbidden": DestinationForbidden,
    "too_many_requests": TooManyRequests,
    "moderation_throttled": ModerationThrottled,
    "headers_too_large": HeadersTooLarge,
    "internal": Internal,
    "queue_full": QueueFull,
    "store_full": StoreFull,
    "store_unavailable": StoreUnavailable,
    "storage_unavailable": StorageUnavailable,
    "newer_release": NewerRelease,
    "shutting_down": ShuttingDown,
    "input_unavailable": InputUnavailable,
    "moderation_blocked": ModerationBlocked,
    "provider_rate_limited": ProviderRateLimited,
    "provider_overloaded": ProviderOverloaded,
    "provider_unreachable": ProviderUnreachable,
    "provider_quota_exhausted": ProviderQuotaExhausted,
    "provider_unauthorized": ProviderUnauthorized,
    "provider_rejected": ProviderRejected,
    "provider_outcome_unknown": ProviderOutcomeUnknown,
    "provider_unusable_answer": ProviderUnusableAnswer,
    "storage_failed": StorageFailed,
    "queue_timeout": QueueTimeout,
    "run_timeout": RunTimeout,
    "worker_lost": WorkerLost,
}
