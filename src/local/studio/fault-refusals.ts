import type { Charged } from './call-log.ts';
import { invalidImage } from './edits/decode-inputs.ts';
import { FAULTS, type Fault, numberOf } from './faults.ts';
import { StudioRefusal } from './refusals.ts';

/** Returns the refusal that a fault stands for, or null if the fault acts on the response or the connection. */
export function refusalFor(fault: Fault, requestId: string): StudioRefusal | null {
  switch (fault.name) {
    case 'rate-limit':
      return new StudioRefusal(429, 'Rate limit reached. Please try again later.', {
        type: 'requests',
        code: 'rate_limit_exceeded',
        headers: { ...retryAfter(fault), 'x-ratelimit-remaining-requests': '0' },
      });
    case 'slow-down':
      return new StudioRefusal(
        429,
        'The request rate grew too fast. Slow down, then increase it gradually.',
        {
          type: 'requests',
          code: 'slow_down',
          headers: retryAfter(fault),
        },
      );
    case 'quota':
      return new StudioRefusal(429, 'The prepaid credit is used up. Add credit to continue.', {
        type: 'insufficient_quota',
        code: 'credit_balance_exhausted',
      });
    case 'overloaded':
      return new StudioRefusal(503, 'The server is overloaded. Please try again later.', {
        code: 'server_is_overloaded',
      });
    case 'moderation':
      return moderationRefusal(fault.value ?? 'sexual', requestId);
    case 'bad-request':
      return new StudioRefusal(400, 'The request was refused as invalid.', { code: 'invalid_value' });
    case 'unauthorized':
      return new StudioRefusal(401, 'The API key is not valid.', { code: 'invalid_api_key' });
    case 'input-invalid': {
      const number = Math.max(1, Math.trunc(numberOf(fault, 1)));
      return invalidImage(`image[${number - 1}]`, number - 1);
    }
    case 'input-too-large':
      return new StudioRefusal(413, 'The request body is too large.', { code: 'payload_too_large' });
    case 'error':
      return new StudioRefusal(
        statusOf(fault),
        `The prompt or header requested this failure. Request ID: ${requestId}.`,
      );
    default:
      return null;
  }
}

const retryAfter = (fault: Fault) => ({ 'retry-after': String(numberOf(fault, 1)) });

function statusOf(fault: Fault): number {
  const status = Math.trunc(numberOf(fault, 500));
  return status >= 400 && status <= 599 ? status : 500;
}

function moderationRefusal(category: string, requestId: string): StudioRefusal {
  const message = `The safety system blocked this request (request ID ${requestId}). safety_violations=[${category}].`;
  return new StudioRefusal(400, message, {
    type: 'image_generation_user_error',
    code: 'moderation_blocked',
    details: { moderation_details: { categories: [category], moderation_stage: 'input' } },
  });
}

/** Returns the charge that a provider would make for a call with this fault. */
export function chargeFor(fault: Fault): Charged {
  if (fault.name === 'error-event') return chargeOfErrorEvent(fault);
  if (fault.name !== 'error') return FAULTS[fault.name].charged;
  const status = statusOf(fault);
  return status < 500 || status === 503 ? 'none' : 'possible';
}

/** Errors that a provider states instead of making an image, and charges nothing for. */
const freeErrors =
  /^(?:moderation_blocked|rate_limit_exceeded|slow_down|invalid_value|credit_balance_exhausted)$/;

const chargeOfErrorEvent = (fault: Fault): Charged =>
  freeErrors.test(fault.value ?? '') ? 'none' : 'possible';

/** Returns the error of an `error-event`. */
export function streamErrorFor(fault: Fault): {
  readonly code: string;
  readonly message: string;
  readonly type: string;
} {
  const code = fault.value ?? 'server_error';
  const isBlocked = code === 'moderation_blocked';
  return {
    code,
    message: isBlocked
      ? 'The safety system blocked this image.'
      : 'The prompt or header requested this failure.',
    type: isBlocked ? 'image_generation_user_error' : code,
  };
}
