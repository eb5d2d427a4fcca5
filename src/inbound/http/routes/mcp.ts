import type { FastifyInstance } from 'fastify';
import { AppError } from '../../../domain/errors.ts';
import type { TenantSlots } from '../../../lib/tenant-slots.ts';
import type { LimitRequests } from '../../../usecases/access/limit-requests.ts';
import type { Mcp } from '../../mcp/index.ts';
import { limitMessages } from '../../mcp/limit-messages.ts';
import type { Addresses } from '../addresses.ts';
import { refuseWhileDraining } from '../draining.ts';
import { limitTextsOfMessages } from '../edit-form.ts';
import { jobTraceOf } from '../job-trace.ts';
import { maxDataBodyBytes } from '../max-body-size.ts';
import { callerOf } from '../plugins/authenticate.ts';
import { quotaHeaders } from '../quota-headers.ts';
import { whileAllowed } from '../while-allowed.ts';

interface Deps {
  readonly mcp: Pick<Mcp, 'load'>;
  readonly addresses: Addresses;
  readonly limitRequests: LimitRequests;
  readonly longPollSlots: TenantSlots;
  readonly draining: AbortSignal;
}

/** `POST /mcp`: tools for agents, by the Model Context Protocol. Each tool checks its scope. */
export function mcpRoute(
  app: FastifyInstance,
  { mcp, addresses, limitRequests, longPollSlots, draining }: Deps,
): void {
  app.route({
    method: 'POST',
    url: '/mcp',
    config: { scope: 'any' },
    bodyLimit: maxDataBodyBytes,
    // The protocol has schemas and documents of its own.
    schema: { hide: true, body: {} },
    handler: async (request, reply) => {
      refuseWhileDraining(draining);
      // The protocol demands it: a page could otherwise reach a service of this machine by a name that it controls.
      if (addresses.isForeignPage(request)) {
        throw new AppError('origin_not_allowed', {
          detail: 'Pages of this origin may not call. Add the origin to CORS_ORIGINS.',
        });
      }
      limitTextsOfMessages(request);
      const caller = callerOf(request);
      const { refusals, quotas } = await limitMessages(request.body, () => limitRequests(caller));
      reply.headers(quotaHeaders(quotas));
      const call = {
        refusals,
        caller,
        publicUrl: addresses.publicUrlOf(request),
        origin: addresses.storedOriginOf(request),
        ...jobTraceOf(request),
        gone: whileAllowed(draining, reply),
        recheck: async () => (await request.checkAccess?.()) ?? caller,
        enterWait: () => longPollSlots.enter(caller.tenant),
        onJob: ({ id }: { readonly id: string }) => {
          request.jobId = id;
        },
      };
      const serve = await mcp.load();
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      await serve({ request: request.raw, response: reply.raw, body: request.body ?? null, call });
    },
  });
}
