import type { FastifyInstance } from 'fastify';
import type { Mcp } from '../../mcp/index.ts';
import type { Addresses } from '../addresses.ts';
import { availablePages } from '../docs/load-site.ts';
import type { JsonSchema } from '../json-schema.ts';
import { llmsText } from '../llms-text.ts';

interface Deps {
  readonly mcp: Pick<Mcp, 'tools'>;
  readonly addresses: Addresses;
}

/** `GET /llms.txt`: a description of the service for language models. It needs no key. */
export function llmsTextRoute(app: FastifyInstance, { mcp, addresses }: Deps): void {
  app.get('/llms.txt', { schema: { hide: true } }, async (request, reply) => {
    reply.header('content-type', 'text/plain; charset=utf-8');
    return llmsText({
      publicUrl: addresses.publicUrlOf(request),
      document: app.swagger() as unknown as JsonSchema,
      tools: mcp.tools,
      pages: await availablePages(),
    });
  });
}
