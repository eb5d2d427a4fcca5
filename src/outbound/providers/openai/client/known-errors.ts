/**
 * The known error codes and types of OpenAI and of gateways that speak its API. They are matched before the status, because
 * gateways use almost any status. For example, 429 means "wait a second" or "no credit left". OpenAI's images endpoint
 * reports an exhausted budget with 400.
 *
 * Sources: the error codes at platform.openai.com, Azure OpenAI content filtering, and the source code of LiteLLM, one-api,
 * new-api, OpenRouter and LobeHub.
 */

/** Meanings of errors. If an error states several, the first in this list wins. */
const meanings = ['quota', 'key', 'moderation', 'rate_limit', 'overload', 'request'] as const;
export type ErrorMeaning = (typeof meanings)[number];

const table: Readonly<Record<ErrorMeaning, readonly string[]>> = {
  /** The account has no credit left or reached a spending limit. An operator has to act. */
  quota: [
    'credit_limit',
    'FreeTierOnly',
    'AccountOverdueError',
    'SetLimitExceeded',
    'BILLING_DISABLED',
    // Zhipu
    '1113',
    'credit_balance_exhausted',
    'organization_spend_limit_exceeded',
    'project_spend_limit_exceeded',
    'organization_usage_limit_exceeded',
    'insufficient_quota',
    'billing_hard_limit_reached',
    'billing_limit_user_error',
    'billing_not_active',
    'billing_error',
    'quota_exceeded',
    'usage_limit_reached',
    'exceeded_current_quota_error',
    'credit_balance_too_low',
    'insufficient_credits',
    'insufficient_balance',
    'insufficient_funds',
    'payment_required',
    'Arrearage',
    // LiteLLM
    'budget_exceeded',
    'ExceededBudget',
    'BudgetExceededError',
    // one-api and new-api
    'insufficient_user_quota',
    'pre_consume_token_quota_failed',
    'token_quota_exhausted',
    'quota_not_enough',
    // LobeHub
    'InsufficientQuota',
    'QuotaLimitReached',
    'InsufficientBudgetForModel',
    'FreePlanLimit',
    'SubscriptionPlanLimit',
  ],
  /** The key or the account is rejected. An operator has to act. */
  key: [
    'invalid_api_key',
    'incorrect_api_key',
    'invalid_authentication',
    'invalid_organization',
    'mismatched_organization',
    'mismatched_project',
    'authentication_error',
    'AuthenticationError',
    'expired_api_key',
    'api_key_disabled',
    'account_deactivated',
    'access_terminated',
    'ip_not_authorized',
    'unauthorized',
    'unauthenticated',
    'invalid_token',
    'permission_error',
    'API_KEY_INVALID',
    'API_KEY_SERVICE_BLOCKED',
    'CONSUMER_SUSPENDED',
    'FAILED_TO_AUTH',
    'unsupported_country_region_territory',
    // LiteLLM
    'token_not_found_in_db',
    'expired_key',
    // new-api
    'channel:invalid_key',
    'token_expired',
    // LobeHub
    'InvalidProviderAPIKey',
    'NoOpenAIAPIKey',
    'AccountDeactivated',
    'LocationNotSupportError',
  ],
  /** A safety system refused the content. */
  moderation: [
    'moderation_blocked',
    'content_policy_violation',
    'image_content_policy_violation',
    'content_filter',
    'content_filtered',
    'content_moderation',
    'content_blocked',
    'safety_violation',
    'prompt_blocked',
    'data_inspection_failed',
    'sensitive_words_detected',
    'PROHIBITED_CONTENT',
    'SAFETY',
    // Portkey, Cloudflare AI Gateway and Zhipu
    'hooks_failed',
    '2016',
    '2017',
    '1301',
    'ResponsibleAIPolicyViolation',
    'ContentPolicyViolationError',
    'ContentFilterFinishReasonError',
  ],
  /** Too many requests. The same request may be sent later. */
  rate_limit: [
    'rate_limit_exceeded',
    'rate_limit_error',
    'rate_limited',
    'slow_down',
    'too_many_requests',
    'throttling_error',
    'Throttling',
    'RateLimitReached',
    'RateLimitError',
    'concurrency_limit_exceeded',
    'RESOURCE_EXHAUSTED',
  ],
  /** The provider has no capacity now. The same request may be sent later. */
  overload: [
    'server_is_overloaded',
    'overloaded',
    'overloaded_error',
    'engine_overloaded',
    'engine_overloaded_error',
    'system_cpu_overloaded',
    'system_memory_overloaded',
    'system_disk_overloaded',
    'channel:no_available_key',
    'no_available_channel',
  ],
  /** The request itself is wrong, or this account may not use the model. It would be refused again. */
  request: [
    'model_not_found',
    'ModelNotFound',
    'DeploymentNotFound',
    'unknown_parameter',
    'unsupported_parameter',
    'unsupported_value',
    'unsupported_model',
    'missing_required_parameter',
    'invalid_value',
    'invalid_type',
    'invalid_prompt',
    'invalid_image',
    'invalid_image_url',
    'invalid_image_format',
    'invalid_image_mode',
    'invalid_base64_image',
    'invalid_request',
    'invalid_size',
    'unsupported_image_media_type',
    'image_parse_error',
    'image_too_large',
    'image_too_small',
    'image_file_not_found',
    'image_file_too_large',
    'empty_image_file',
    'failed_to_download_image',
    'context_length_exceeded',
    'string_above_max_length',
    'data_residency_mismatch',
    'bio_policy',
    // LiteLLM: the key works, but not for this model.
    'key_model_access_denied',
    'team_model_access_denied',
    'user_model_access_denied',
    'org_model_access_denied',
    'project_model_access_denied',
  ],
};

/** Compares `content_filter`, `contentFilter` and `ContentFilter` as equal. */
const normalized = (word: string) => word.toLowerCase().replace(/[^a-z0-9]/g, '');

const byWord = new Map(
  meanings.flatMap((meaning) => table[meaning].map((word) => [normalized(word), meaning] as const)),
);

/**
 * Parts of codes that state a meaning. Gateways join them to words of their own, for example
 * `InputTextSensitiveContentDetected.PolicyViolation` or `monthly_spend_limit_reached`.
 */
const parts: readonly (readonly [ErrorMeaning, RegExp])[] = [
  // A quota of requests or tokens per time is a rate.
  ['rate_limit', /perminute|persecond|perday|concurren|throttl|ratelimit|ratequota|toomanyrequests/],
  ['quota', /(?:insufficient|notenough|outof|no)(?:user|account|token)?(?:quota|credit|balance|fund|budget)/],
  [
    'quota',
    /(?:quota|credits?|balance|funds|budget)(?:is|has|been)?(?:exhausted|exceeded|insufficient|depleted|toolow|overdue)/,
  ],
  ['quota', /(?:spend|spending|billing|budget|credit|usage|cost)(?:hard|soft)?(?:limit|cap)/],
  ['quota', /exceeded\w{0,20}(?:budget|spend|credit|balance)|overdue|arrear/],
  [
    'key',
    /(?:invalid|incorrect|expired|revoked|disabled|missing|wrong)(?:provider)?(?:api|access|subscription)key/,
  ],
  ['key', /(?:api|access|subscription)key(?:is)?(?:invalid|incorrect|expired|revoked|disabled|missing)/],
  [
    'key',
    /(?:organization|account|project|workspace|team)(?:is|was|hasbeen)?(?:disabled|deactivated|suspended|banned|blocked|terminated|locked)/,
  ],
  ['moderation', /moderation|sensitive(?:content|word|information)|nsfw|guardrail|policyviolation/],
  [
    'moderation',
    /content(?:policy|filter|safety|blocked|violation)|safety(?:system|filter|block|violation|check)/,
  ],
  ['moderation', /(?:image|prompt|input|output)(?:safety|blocked|flagged)|prohibitedcontent/],
];

function meaningOfWord(word: string): ErrorMeaning | undefined {
  const plain = normalized(word);
  return byWord.get(plain) ?? parts.find(([, part]) => part.test(plain))?.[0];
}

/** A meaning with the code or type that stated it. */
export interface StatedMeaning {
  readonly meaning: ErrorMeaning;
  readonly word: string;
}

/** Returns the most important meaning of the codes and types of an error, or `null` if none is known. */
export function meaningOf(words: readonly string[]): StatedMeaning | null {
  const known = words.map((word) => ({ word, meaning: meaningOfWord(word) }));
  for (const meaning of meanings) {
    const word = known.find((each) => each.meaning === meaning)?.word;
    if (word !== undefined) return { meaning, word };
  }
  return null;
}
