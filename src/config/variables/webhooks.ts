import { z } from 'zod';
import { webhookScheduleSeconds } from '../../domain/retry-schedule.ts';
import { parseWebhookSecret } from '../../lib/crypto/webhook-secret.ts';
import { defineVariable, list, readBy, truth, whole } from '../../lib/variable.ts';

const section = 'Webhooks';

/** Variables of webhooks. */
export const webhooks = {
  WEBHOOK_SECRET: defineVariable({
    section,
    schema: readBy(parseWebhookSecret),
    secret: true,
    about:
      'Signs the webhooks of single jobs, of all tenants. If absent, every tenant has its own secret: `darkroom keys webhook-secret`. Registered endpoints always have their own.',
  }),
  WEBHOOK_ALLOWED_NETWORKS: defineVariable({
    section,
    schema: list.pipe(
      z.array(z.union([z.cidrv4(), z.cidrv6()], { error: 'must be networks as 10.0.0.0/8' })),
    ),
    about:
      'Private networks that webhooks may reach, comma-separated, for deployments inside one. https and ordinary ports are still required.',
  }),
  WEBHOOK_SCHEDULE_S: defineVariable({
    section,
    schema: list.pipe(z.array(whole(0, 604_800)).min(1).max(30)),
    fallback: webhookScheduleSeconds.join(','),
    about:
      'Delays before the attempts of a delivery, in seconds, comma-separated, each counted from the previous attempt. The first belongs to attempt 1, which is always made at once.',
  }),
  WEBHOOK_DISABLE_AFTER_S: defineVariable({
    section,
    schema: whole(60, 31_536_000),
    fallback: '432000',
    about: 'Time without a successful delivery after which an endpoint is disabled, in seconds.',
  }),
  WEBHOOK_LOG_TTL_S: defineVariable({
    section,
    schema: whole(60, 31_536_000),
    fallback: '604800',
    about: 'Retention of ended deliveries, in seconds. They can be sent again during that time.',
  }),
  MAX_WEBHOOK_ENDPOINTS: defineVariable({
    section,
    // One script writes an event for all endpoints. For 1,000 endpoints it blocks Redis for 0.1 s, and the arguments of more
    // than about 8,000 do not fit on the stack.
    schema: whole(1, 1_000),
    fallback: '10',
    about:
      'Maximum number of registered endpoints of one tenant, at most 1,000: one step writes an event for all of them. A small number limits how many requests one job can cause at a third party.',
  }),
  WEBHOOK_HOST_PER_MINUTE: defineVariable({
    section,
    schema: whole(1, 1_000_000),
    fallback: '3000',
    about:
      'Maximum number of webhook requests of one tenant to one host per minute, over all of its endpoints there. Further deliveries wait.',
  }),
  WEBHOOK_TENANT_PER_MINUTE: defineVariable({
    section,
    schema: whole(1, 1_000_000),
    fallback: '12000',
    about: 'Maximum number of webhook requests of one tenant per minute. Further deliveries wait.',
  }),
  WEBHOOK_ALLOW_PRIVATE: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    devFallback: 'true',
    about: 'Whether webhooks may go to private addresses and plain http. For development.',
  }),
};
