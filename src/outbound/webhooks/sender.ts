import type { Clock, WebhookResponse, WebhookSender } from '../../domain/ports.ts';
import { createWebhookSigner, type SignWebhook, webhookHeaders } from '../../lib/crypto/sign-webhook.ts';
import { verdictOnError, verdictOnStatus } from './attempt-outcome.ts';
import { createConnectionPool } from './connection-pool.ts';
import type { AddressGuard } from './destination-guard.ts';
import { createPinnedConnector } from './pinned-connector.ts';
import { postOnce } from './post-once.ts';
import type { ResolveName } from './resolve-name.ts';

export interface WebhookSenderOptions {
  readonly guard: AddressGuard;
  readonly clock: Clock;
  /** Value of the `User-Agent` header, for example `Darkroom/1.2.3`. */
  readonly userAgent: string;
  /** Timeout of a whole attempt, from the wait for a connection to the last byte of the response. Default 15,000 ms. */
  readonly timeoutMs?: number;
  /** Maximum size of a response. The connection of a larger response is closed. Default 65,536 bytes. */
  readonly maxResponseBytes?: number;
  /**
   * Maximum number of connections of one destination to one scheme, host and port. Also limits concurrent attempts.
   * Default 8.
   */
  readonly connectionsPerDestination?: number;
  /** Maximum age of a connection. The name is then resolved and checked again. Default 60,000 ms. */
  readonly connectionMaxAgeMs?: number;
  /** Replaces the resolver of the operating system. */
  readonly resolve?: ResolveName;
}

type Message = Parameters<WebhookSender['send']>[0];
type Verdict = Omit<WebhookResponse, 'latencyMs' | 'sentHeaders'>;

const maxHeaderBytes = 16_384;

/**
 * Creates a sender of signed webhooks to untrusted URLs (Standard Webhooks 1.0.0).
 *
 * The guard checks the URL before every attempt. Connections come from `createPinnedConnector` and are reused. Proxy
 * variables of the environment have no effect. `NODE_EXTRA_CA_CERTS` adds certificate authorities to those of Node.
 *
 * `send` resolves for every behavior of an endpoint. It rejects only for faults of this service: missing or malformed
 * secrets, a closed sender, no free file descriptors. `close` is idempotent and waits for running attempts, which their
 * deadline limits.
 */
export function createWebhookSender(
  options: WebhookSenderOptions,
): WebhookSender & { close(): Promise<void> } {
  const { clock, timeoutMs = 15_000 } = options;
  const pool = openPool(options, timeoutMs);
  const running = new Set<Promise<Verdict>>();
  const sign = createWebhookSigner();
  let closed = false;

  const attempt = async (message: Message, headers: Record<string, string>): Promise<Verdict> => {
    let url: URL;
    try {
      url = options.guard.checkUrl(message.url);
    } catch (error) {
      return verdictOnError(error);
    }
    const result = await postOnce(
      pool,
      { destination: message.destination, url, headers, body: message.body },
      timeoutMs,
    );
    if (result.kind === 'responded') {
      const { status, retryAfter, excerpt } = result;
      return { ...verdictOnStatus(status, retryAfter, clock()), ...(excerpt ? { excerpt } : {}) };
    }
    if (result.kind === 'failed') return verdictOnError(result.error);
    const detail = result.connected
      ? `The endpoint did not respond within ${timeoutMs} ms.`
      : `No connection to the endpoint was free or could be made within ${timeoutMs} ms.`;
    return { status: null, outcome: 'timeout', detail };
  };

  return {
    async send(message) {
      if (closed) throw new Error('The webhook sender is closed');
      const startedAtMs = performance.now();
      const headers = headersOf(message, options, sign);
      const attempting = attempt(message, headers);
      running.add(attempting);
      try {
        const verdict = await attempting;
        const { [webhookHeaders.signature]: _signature, ...sentHeaders } = headers;
        return { ...verdict, sentHeaders, latencyMs: Math.round(performance.now() - startedAtMs) };
      } finally {
        running.delete(attempting);
      }
    },
    async close() {
      closed = true;
      pool.close();
      await Promise.allSettled(running);
    },
  };
}

function openPool(options: WebhookSenderOptions, timeoutMs: number) {
  const { guard, resolve } = options;
  return createConnectionPool({
    connectionsPerDestination: options.connectionsPerDestination ?? 8,
    maxAgeMs: options.connectionMaxAgeMs ?? 60_000,
    client: {
      connect: createPinnedConnector({ allowsAddress: guard.allowsAddress, timeoutMs, resolve }),
      maxResponseSize: options.maxResponseBytes ?? 65_536,
      maxHeaderSize: maxHeaderBytes,
      // undici's own timeouts are off, because the deadline of the attempt covers headers and body.
      headersTimeout: 0,
      bodyTimeout: 0,
    },
  });
}

function headersOf(
  message: Message,
  { clock, userAgent }: WebhookSenderOptions,
  sign: SignWebhook,
): Record<string, string> {
  const { eventId, body, secrets } = message;
  const timestampSeconds = Math.floor(clock() / 1000);
  return {
    'content-type': 'application/json',
    'user-agent': userAgent,
    [webhookHeaders.id]: eventId,
    [webhookHeaders.timestamp]: String(timestampSeconds),
    [webhookHeaders.signature]: sign({ id: eventId, timestampSeconds, body, secrets }),
  };
}
