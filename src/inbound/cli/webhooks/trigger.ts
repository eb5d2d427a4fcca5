import { isKnown } from '../../../domain/open.ts';
import { eventTypes } from '../../../domain/webhook-event.ts';
import { createWebhookSigner } from '../../../lib/crypto/sign-webhook.ts';
import { createWebhookSecret } from '../../../lib/crypto/webhook-secret.ts';
import { ids } from '../../../lib/ids.ts';
import type { CliContext } from '../context.ts';
import { openClient } from '../service-client.ts';
import { lineOf, postWebhook } from './post-webhook.ts';
import { sampleBody } from './sample-body.ts';

export interface TriggerOptions {
  readonly to?: string;
  readonly secret?: string;
  readonly endpoint?: string;
  readonly json?: boolean;
}

/** Sends one webhook with sample data. The exit code is 1 if the response is not 2xx. */
export async function triggerWebhook(
  context: CliContext,
  type: string,
  options: TriggerOptions,
): Promise<void> {
  if (!isKnown(eventTypes, type)) {
    throw new Error(`Unknown event type ${type}. Pass one of ${eventTypes.join(', ')}.`);
  }
  if ((options.to === undefined) === (options.endpoint === undefined)) {
    throw new Error('Pass either --to or --endpoint.');
  }
  if (options.endpoint !== undefined) {
    if (type !== 'webhook.test') {
      throw new Error('The service sends only webhook.test on request. Pass --to and --secret instead.');
    }
    return testEndpoint(context, options.endpoint, options);
  }
  const { to = '', secret = createWebhookSecret() } = options;
  if (options.secret === undefined) context.printError(`Signing secret: ${secret}`);
  const nowMs = Date.now();
  const message = { id: ids.event(nowMs), body: sampleBody(type, nowMs) };
  const userAgent = `Darkroom/${context.version} (webhooks trigger)`;
  const posted = await postWebhook(to, message, { secret, sign: createWebhookSigner(), userAgent });
  context.print(
    options.json
      ? JSON.stringify({ id: message.id, type, ...posted })
      : lineOf([type, message.id, to], posted),
  );
  if (posted.status === null || posted.status < 200 || posted.status > 299) process.exitCode = 1;
}

async function testEndpoint(context: CliContext, endpoint: string, { json }: TriggerOptions): Promise<void> {
  const { client } = await openClient(context);
  const { testWebhookEndpoint } = await import('../../../../clients/typescript/src/generated/index.ts');
  const { data: delivery } = await testWebhookEndpoint({
    client,
    path: { id: endpoint },
    throwOnError: true,
  });
  const [attempt] = delivery.attempts;
  const detail = attempt?.detail ? `: ${attempt.detail}` : '';
  const line = `${delivery.type}  ${delivery.event_id}  ${delivery.url}  ${delivery.outcome}${detail}`;
  context.print(json ? JSON.stringify(delivery) : line);
  if (delivery.status !== 'delivered') process.exitCode = 1;
}
