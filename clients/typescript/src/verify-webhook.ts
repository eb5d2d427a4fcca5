import { WebhookError } from './errors.ts';
import type { WebhookEvent } from './generated/types.gen.ts';

type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  /** Secret of the endpoint, `whsec_...`. While a secret is rotated, a list with both. */
  readonly secret: string | readonly string[];
  /** Maximum difference between the time of the webhook and now. Default 300. */
  readonly toleranceSeconds?: number;
}

/**
 * Verifies a webhook by its signature and time (Standard Webhooks) and returns its event. Compares in constant time.
 *
 * @param body the body as it arrived. A body that was parsed and serialized again does not verify.
 * @throws WebhookError if the webhook is not authentic, TypeError without a secret.
 */
export async function verifyWebhook(
  body: string | Uint8Array | ArrayBuffer,
  headers: HeaderSource,
  { secret, toleranceSeconds = 300 }: VerifyOptions,
): Promise<WebhookEvent> {
  const [id, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) =>
    headerOf(headers, name),
  );
  if (!id || !timestamp || !signatures) throw new WebhookError('The headers of the signature are missing.');
  if (!/^\d{1,15}$/.test(timestamp)) throw new WebhookError('webhook-timestamp is no time.');
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds) {
    throw new WebhookError('The time of the webhook is too far from now.');
  }
  const secrets = [secret].flat().filter(Boolean);
  if (secrets.length === 0) throw new TypeError('Missing secret of the webhook.');
  const text = typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
  const signed = concatenate(new TextEncoder().encode(`${id}.${timestamp}.`), text);
  const given = signatures.split(' ').flatMap((each) => signatureOf(each) ?? []);
  for (const each of secrets) {
    const key = await importSecret(each);
    for (const signature of given) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) {
        return JSON.parse(new TextDecoder().decode(text)) as WebhookEvent;
      }
    }
  }
  throw new WebhookError('No signature matches. Pass the secret of the endpoint and the body as it arrived.');
}

function headerOf(headers: HeaderSource, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  // Node sends names in lower case. Some platforms, such as AWS Lambda, pass them as they arrived.
  const [, value] = Object.entries(headers).find(([each]) => each.toLowerCase() === name) ?? [];
  return typeof value === 'object' ? value[0] : value;
}

/** Returns the bytes of a signature of version 1; `undefined` for another version and for malformed text. */
function signatureOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  const [version, base64] = text.split(',');
  return version === 'v1' && base64 ? fromBase64(base64) : undefined;
}

function importSecret(secret: string) {
  const bytes = fromBase64(secret.replace(/^whsec_/, ''));
  if (!bytes || bytes.length === 0) throw new TypeError('The secret of a webhook is whsec_ and base64.');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
