import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { LedgerLine } from '../../../../domain/ledger.ts';
import type { Clock } from '../../../../domain/ports.ts';
import type { Usage } from '../../../../usecases/usage/index.ts';
import { ref } from '../../json-schema.ts';
import { callerOf } from '../../plugins/authenticate.ts';
import { header, problems, raw } from '../../responses.ts';
import { tenantFor, tenantQuery } from '../../tenant-query.ts';
import { type PeriodQuery, periodOf, periodQuery } from './period.ts';

interface Deps {
  readonly usage: Pick<Usage, 'readLedger'>;
  readonly clock: Clock;
}

interface Query extends PeriodQuery {
  tenant?: string;
}

const maxDays = 366;
const linesPerChunk = 100;

/** `GET /usage/ledger` */
export function getLedgerRoute(app: FastifyInstance, { usage, clock }: Deps): void {
  app.route<{ Querystring: Query }>({
    method: 'GET',
    url: '/usage/ledger',
    config: { scope: 'admin' },
    schema: {
      operationId: 'getLedger',
      summary: 'Export the ledger',
      description:
        'One line for each call that was charged or may have been, by the time at which the call began. Lines of archived jobs come first, hour by hour; the lines of other jobs follow. A line may change later, by a settlement or a late response; its `id` stays. A response that ends without its last chunk is incomplete.',
      tags: ['usage'],
      querystring: { type: 'object', properties: { ...periodQuery, ...tenantQuery } },
      response: {
        200: raw('The lines, each a `LedgerLine`', ['application/x-ndjson'], {
          schema: ref('LedgerLine'),
          headers: { 'cache-control': header.cacheControl },
        }),
        ...problems({}, 'storage_unavailable'),
      },
    },
    handler: async (request, reply) => {
      const period = periodOf(request.query, clock(), maxDays);
      const chunks = chunksOf(usage.readLedger(tenantFor(callerOf(request), request.query), period));
      // A failure before the first line is an error response.
      const first = await chunks.next();
      return reply
        .type('application/x-ndjson; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(Readable.from(startingWith(first, chunks), { objectMode: false }));
    },
  });
}

async function* chunksOf(lines: AsyncIterable<LedgerLine>): AsyncGenerator<string, void, undefined> {
  let texts: string[] = [];
  for await (const line of lines) {
    texts.push(`${JSON.stringify(line)}\n`);
    if (texts.length < linesPerChunk) continue;
    yield texts.join('');
    texts = [];
  }
  yield texts.join('');
}

async function* startingWith(
  first: IteratorResult<string, void>,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  try {
    if (first.value) yield first.value;
    for await (const chunk of rest) if (chunk !== '') yield chunk;
  } finally {
    await rest.return();
  }
}
