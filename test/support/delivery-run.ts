import { expect } from 'vitest';
import { connectWebhooks, endpointServerOf, held } from './webhook-core.ts';

/** Timeout for a run to reach the middle of its work, which depends on the speed of the machine alone. */
export const withRetry = { timeout: 10_000 };

export const leaseMs = 20_000;
export const sliceMs = 2_000;
/** Maximum number of concurrent attempts of one run. */
export const maxConcurrent = 8;

/** Registers an endpoint that subscribes to one event of each job. */
export async function registeredEndpoint(...given: Parameters<typeof connectWebhooks>) {
  const webhooks = await connectWebhooks(...given);
  const destination = await endpointServerOf();
  const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
  const health = async () => (await webhooks.deliveryQueues.health('acme', [endpoint.id]))[0];
  const statuses = async () => (await webhooks.deliveriesTo(endpoint.id)).map(({ status }) => status);
  async function pending(count: number): Promise<void> {
    await webhooks.emit(count);
    await webhooks.dispatch();
  }
  return {
    webhooks,
    destination,
    endpoint,
    health,
    pending,
    /** Starts a run and returns during its first attempts. The test decides when their responses are sent. */
    async openRun(count: number, { status = 200, signal }: { status?: number; signal?: AbortSignal } = {}) {
      const responses = held();
      destination.response(responses.listener(status));
      await pending(count);
      const run = webhooks.empty(endpoint.id, signal);
      await expect.poll(() => destination.requests.length, withRetry).toBe(Math.min(count, maxConcurrent));
      return { run, release: responses.release };
    },
    statuses,
    delivered: async () => (await statuses()).filter((status) => status === 'delivered').length,
  };
}
