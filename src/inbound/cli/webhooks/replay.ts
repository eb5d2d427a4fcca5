import type { CliContext } from '../context.ts';
import { openClient } from '../service-client.ts';

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
  const { client } = await openClient(context);
  const { recoverWebhookEndpoint, redeliverWebhook } = await import(
    '../../../../clients/typescript/src/generated/index.ts'
  );
  const call = { client, throwOnError: true } as const;
  if (delivery !== undefined && endpoint === undefined && since === undefined) {
    const { data: again } = await redeliverWebhook({ ...call, path: { id: delivery } });
    return context.print(json ? JSON.stringify(again) : `${again.id} will be redelivered to ${again.url}`);
  }
  if (delivery !== undefined || endpoint === undefined || since === undefined) {
    throw new Error('Pass either a delivery, or --endpoint and --since.');
  }
  const { data: result } = await recoverWebhookEndpoint({ ...call, path: { id: endpoint }, body: { since } });
  context.print(
    json
      ? JSON.stringify(result)
      : `${result.deliveries} deliveries of events since ${result.since} will be redelivered`,
  );
}
