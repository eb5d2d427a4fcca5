import type { SignWebhook } from '../../../lib/crypto/sign-webhook.ts';
import { webhookHeaders } from '../../../lib/crypto/sign-webhook.ts';

/** Timeout of the service for an attempt. */
const timeoutMs = 15_000;

/** Result of posting a webhook. */
export interface Posted {
  /** Status of the response; `null` if there was none. */
  readonly status: number | null;
  readonly latency_ms: number;
  /** Reason why there was no response; `null` otherwise. */
  readonly error: string | null;
}

/** Posts one webhook, signed by Standard Webhooks, without a retry. Never rejects. Redirects are not followed. */
export async function postWebhook(
  url: string,
  { id, body }: { readonly id: string; readonly body: string },
  options: { readonly secret: string; readonly sign: SignWebhook; readonly userAgent: string },
): Promise<Posted> {
  const startedAt = performance.now();
  const latency = () => Math.round(performance.now() - startedAt);
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const headers = {
    'content-type': 'application/json',
    'user-agent': options.userAgent,
    [webhookHeaders.id]: id,
    [webhookHeaders.timestamp]: String(timestampSeconds),
    [webhookHeaders.signature]: options.sign({ id, timestampSeconds, body, secrets: [options.secret] }),
  };
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await response.arrayBuffer();
    return { status: response.status, latency_ms: latency(), error: null };
  } catch (error) {
    return { status: null, latency_ms: latency(), error: reasonOf(error as Error) };
  }
}

function reasonOf(error: Error): string {
  if (error.name === 'TimeoutError') return `no response within ${timeoutMs / 1000} s`;
  const { cause } = error;
  return cause instanceof Error ? cause.message || String((cause as { code?: string }).code) : error.message;
}

/** Returns one line for a posted webhook. */
export function lineOf(parts: readonly string[], { status, latency_ms: ms, error }: Posted): string {
  return [...parts, error === null ? `${status}  ${ms} ms` : `FAILED: ${error}`].join('  ');
}
