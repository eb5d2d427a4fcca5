import type { Clock, WebhookResponse, WebhookSender } from '../../domain/ports.ts';
import { verdictOnError, verdictOnStatus } from './attempt-outcome.ts';
import { createConnectionPool } from './connection-pool.ts';
import type { AddressGuard } from './destination-guard.ts';
import { createPinnedConnector } from './pinned-connector.ts';
import { postOnce } from './post-once.ts';
import type { ResolveName } from './resolve-name.ts';
import { createWebhookSigner, type SignWebhook, webhookHeaders } from './signature.ts';

export interface WebhookSenderOptions {
  readonly guard: AddressGuard;
  readonly clock: Clock;
  /** For example `Darkroom/1.2.3`. */
  readonly userAgent: string;
  /** For a whole attempt, from the wait for a connection to the last byte of the answer. */
  readonly timeoutMs?: number;
  /** An answer longer than this ends with its connection. */
  readonly maxResponseBytes?: number;
  /** Open connections, and with that attempts at a time, of one receiver to one scheme, host and port. */
  readonly connectionsPerDestination?: number;
  /** How long one connection is used before the name is resolved and checked again. */
  readonly connectionMaxAgeMs?: number;
  /** Instead of the system's resolver. */
  readonly resolve?: ResolveName;
}

type Message = Parameters<WebhookSender['send']>[0];
type Verdict = Omit<WebhookResponse, 'latencyMs' | 'sentHeaders'>;

const maxHeaderBytes = 16_384;

/**
 * Sends signed webhooks to addresses that strangers name (Standard Webhooks 1.0.0). Every attempt asks the guard anew;
 * connections are made as `createPinnedConnector` promises, kept alive and used again. Proxy variables of the
 * environment have no effect. Certificate authorities beyond Node's own come from `NODE_EXTRA_CA_CERTS`.
 *
 * `send` answers for whatever a receiver does and rejects only for faults of ours: no or malformed secrets, a closed
 * sender, no file descriptors left. `close` lets running attempts end, which their deadline bounds; idempotent.
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
    if (result.kind === 'answered') {
      const { status, retryAfter, excerpt } = result;
      return { ...verdictOnStatus(status, retryAfter, clock()), ...(excerpt ? { excerpt } : {}) };
    }
    if (result.kind === 'failed') return verdictOnError(result.error);
    const detail = result.connected
      ? `The receiver did not answer within ${timeoutMs} ms.`
      : `No connection to the receiver was free or could be made within ${timeoutMs} ms.`;
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
      // The deadline of the attempt covers both.
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
