import type { DeliveryView } from '../../../domain/webhook-view.ts';
import { createApiClient } from '../api-client.ts';
import type { CliContext } from '../context.ts';

export interface ReplayOptions {
  readonly endpoint?: string;
  readonly since?: string;
  readonly json?: boolean;
}

/** Redelivers one delivery, or all that an endpoint missed since a time. */
export async function replayWebhooks(
  context: CliContext,
  delivery: string | undefined,
  { endpoint, since, json }: ReplayOptions,
): Promise<void> {
  const client = createApiClient({ ...context.client(), say: context.printError });
  if (delivery !== undefined && endpoint === undefined && since === undefined) {
    const path = `/webhooks/deliveries/${encodeURIComponent(delivery)}/redeliver`;
    const again = await client.request<DeliveryView>('POST', path);
    return context.print(json ? JSON.stringify(again) : `${again.id} will be redelivered to ${again.url}`);
  }
  if (delivery !== undefined || endpoint === undefined || since === undefined) {
    throw new Error('Pass either a delivery, or --endpoint and --since.');
  }
  const path = `/webhooks/endpoints/${encodeURIComponent(endpoint)}/recover`;
  const result = await client.request<{ deliveries: number; since: string }>('POST', path, { since });
  context.print(
    json
      ? JSON.stringify(result)
      : `${result.deliveries} deliveries of events since ${result.since} will be redelivered`,
  );
}
