import { type Command, InvalidArgumentError, Option } from 'commander';
import { eventPatterns } from '../../../domain/image-request.ts';
import { eventTypes } from '../../../domain/webhook-event.ts';
import { webhookSecretFault } from '../../../lib/crypto/webhook-secret.ts';
import type { CliContext } from '../context.ts';
import { parseId } from '../id-argument.ts';
import { wholeNumber } from '../numbers.ts';
import { forwardEvents } from './forward.ts';
import { type ReceiveOptions, receiveWebhooks } from './receive.ts';
import { type ReplayOptions, replayWebhooks } from './replay.ts';
import { type TriggerOptions, triggerWebhook } from './trigger.ts';

interface ListenOptions extends ReceiveOptions {
  readonly forwardTo?: string;
}

/** Adds `darkroom webhooks listen|trigger|replay`. */
export function addWebhooks(program: Command, context: CliContext): void {
  const webhooks = program
    .command('webhooks')
    .description('forward webhooks to this machine, send samples, redeliver');

  webhooks
    .command('listen')
    .description(
      'with --forward-to: read the events of all jobs (GET /events of DARKROOM_URL, with DARKROOM_API_KEY), sign them here and post them to a URL. Without: register an endpoint on this machine, verify and print its deliveries, and remove it at the end',
    )
    .option(
      '--forward-to <url>',
      'post every event to this URL, for example http://localhost:3000/hooks',
      url,
    )
    .addOption(
      new Option('--events <list>', 'event types, comma-separated').argParser(patterns).default(['*'], '*'),
    )
    .option('--secret <secret>', 'sign, or verify, with this secret; whsec_... Default: a new secret', secret)
    .option('--port <port>', 'port of the endpoint; 0 is any free port', wholeNumber(0, 65_535), 0)
    .option('--answer <status>', 'status of its responses, to try failures', wholeNumber(200, 599), 204)
    .option('--json', 'print one JSON object for each delivery')
    .action(({ forwardTo, ...options }: ListenOptions) =>
      forwardTo === undefined
        ? receiveWebhooks(context, options)
        : forwardEvents(context, { ...options, url: forwardTo }),
    );

  webhooks
    .command('trigger <type>')
    .description(
      `send one signed webhook with sample data, without a job and without a cost. Types: ${eventTypes.join(', ')}`,
    )
    .option('--to <url>', 'post it to this URL; needs no service', url)
    .option('--secret <secret>', 'sign with this secret; whsec_... Default: a new secret, printed', secret)
    .option(
      '--endpoint <id>',
      'webhook.test only: the service sends it to this registered endpoint, whk_...',
      parseId,
    )
    .option('--json', 'print JSON')
    .action((type: string, options: TriggerOptions) => triggerWebhook(context, type, options));

  webhooks
    .command('replay')
    .argument('[delivery]', 'id of the delivery', parseId)
    .description('redeliver one delivery, or all that an endpoint missed since a time')
    .option('--endpoint <id>', 'the endpoint, whk_...', parseId)
    .option('--since <time>', 'RFC 3339, for example 2026-11-24T09:00:00Z')
    .option('--json', 'print JSON')
    .action((delivery: string | undefined, options: ReplayOptions) =>
      replayWebhooks(context, delivery, options),
    );
}

function url(text: string): string {
  const { protocol } = URL.canParse(text) ? new URL(text) : { protocol: '' };
  if (protocol === 'http:' || protocol === 'https:') return text;
  throw new InvalidArgumentError('It must be an http or https URL.');
}

function secret(text: string): string {
  const fault = webhookSecretFault(text);
  if (fault) throw new InvalidArgumentError(fault.message);
  return text;
}

function patterns(text: string): string[] {
  const list = text.split(',').map((each) => each.trim());
  const unknown = list.find((each) => !(eventPatterns as readonly string[]).includes(each));
  if (unknown === undefined) return list;
  throw new InvalidArgumentError(`${unknown} is not one of ${eventPatterns.join(', ')}.`);
}
