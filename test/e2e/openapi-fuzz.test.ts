import fc, { type Arbitrary } from 'fast-check';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withKeys } from '../../src/compose/tools.ts';
import { loadConfig } from '../../src/config/config.ts';
import { commandLineManager } from '../../src/usecases/access/manager.ts';
import { type ApiDocument, readApiDocument } from '../support/openapi-document.ts';
import { type Outcome, type RawResponse, sendRaw } from '../support/raw-http.ts';
import { requestPlans } from '../support/request-arbitraries.ts';
import { bytesOfPlan, type JobChoice, type RequestPlan } from '../support/request-plan.ts';
import { faultsOf } from '../support/response-check.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

/**
 * Sends requests generated from the OpenAPI document to the service and compares every response with the document.
 * FUZZ_REQUESTS sets the number of requests, FUZZ_SEED the first seed. The generator restarts with the next seed after
 * every hundred requests, and a failure names its seed.
 */
const requestCount = Number(process.env.FUZZ_REQUESTS ?? 1_500);
const firstSeed = Number(process.env.FUZZ_SEED ?? 20_261_123);
const perSeed = 100;
const maxConcurrent = 8;
const responseTimeoutMs = 10_000;
/** Time after which an open event stream is closed. An open stream counts as a response, not as a hang. */
const streamTimeoutMs = 1_500;

let api: ApiDocument;
let service: TestService;
let readOnlyKey: string;
beforeAll(async () => {
  api = readApiDocument();
  // Without the webhooks role the service sends nothing to the URLs in the requests.
  service = await startService({ ROLES: 'api,worker', RUN_TIMEOUT_S: '60', MAX_WEBHOOK_ENDPOINTS: '20' });
  readOnlyKey = await withKeys(loadConfig(service.env, 'tool'), pino({ level: 'silent' }), async (keys) => {
    return (
      (await keys.create(commandLineManager, { tenant: 'acme', name: 'reads', scopes: ['images:read'] }))
        .key ?? ''
    );
  });
});
afterAll(() => service.close());

/** Creates one job in every terminal state, and links to images. */
async function createJobs(): Promise<{ ids: string[]; links: string[] }> {
  const { acme, other } = service;
  const done = await acme.generate({ prompt: 'Succeeded', n: 2 });
  const failed = await acme.generate({ prompt: 'Refused [studio:moderation]' });
  const erased = await acme.generate({ prompt: 'Erased' });
  await acme.delete(`/images/${erased.id}`).expect(204);
  const slow = await acme.submit({ prompt: 'Canceled [studio:latency=30000]' });
  await acme.post(`/images/${slow.id}/cancel`).expect(200);
  const foreign = await other.generate({ prompt: "Another tenant's" });
  const link = new URL(done.images[0]?.url ?? '');
  const path = link.pathname.slice('/files/'.length);
  const altered = link.search.replace(/signature=./, 'signature=-');
  const expired = link.search.replace(/expires=\d+/, 'expires=1000000000');
  return {
    ids: [done.id, failed.id, erased.id, slow.id, foreign.id],
    links: [path + link.search, path + altered, path + expired, `${path}x${link.search}`],
  };
}

/** Creates endpoints of both tenants and a failed delivery. The host name of the endpoint is reserved. */
async function createWebhooks(): Promise<{ endpoints: string[]; deliveries: string[] }> {
  const url = 'https://receiver.invalid/hooks';
  const endpoints: string[] = [];
  for (const caller of [service.acme, service.acme, service.other]) {
    const { body } = await caller.post('/webhooks/endpoints').send({ url }).expect(201);
    endpoints.push(body.id);
  }
  const { body } = await service.acme.post(`/webhooks/endpoints/${endpoints[0]}/test`).expect(200);
  return { endpoints, deliveries: [body.id] };
}

interface Finding {
  readonly seed: number;
  readonly fault: string;
  readonly request: string;
  readonly response: string;
}

describe('every response', () => {
  it(
    `every response matches the OpenAPI document (${requestCount} requests from seed ${firstSeed})`,
    async () => {
      const findings: Finding[] = [];
      const histogram = new Map<string, number>();
      const kept = await createJobs();
      const { endpoints, deliveries } = await createWebhooks();
      const recent: string[] = [];
      const plans = requestPlans(api, { ...testKeys, good: testKeys.acme, readOnly: readOnlyKey });
      const port = Number(new URL(service.url).port);
      const nameOf = (choice: JobChoice): string => {
        if ('text' in choice) return choice.text;
        const named = {
          ...{ link: kept.links, kept: kept.ids, endpoint: endpoints, delivery: deliveries },
          recent: recent.length === 0 ? kept.ids : recent,
        };
        const names = named[choice.of];
        return names[choice.nth % names.length] ?? '';
      };

      async function send(plan: RequestPlan, seed: number): Promise<void> {
        const bytes = bytesOfPlan(plan, nameOf(plan.job));
        const [, path = ''] = /^[^ ]* ([^ ?#]*)/.exec(bytes.toString('latin1', 0, 40_000)) ?? [];
        const isStream = path.endsWith('/events');
        const outcome = await sendRaw(port, bytes, {
          timeoutMs: isStream ? streamTimeoutMs : responseTimeoutMs,
          isHead: plan.method === 'HEAD',
        });
        const operation = api.match(plan.method === 'HEAD' ? 'GET' : plan.method, path);
        const name =
          operation === null || typeof operation === 'string' ? (operation ?? 'nowhere') : operation.id;
        const label = `${plan.isBrokenHttp ? 'broken HTTP' : name} ${typeof outcome === 'string' ? outcome : outcome.status}`;
        histogram.set(label, (histogram.get(label) ?? 0) + 1);
        if (typeof outcome !== 'string') remember(name, outcome);
        for (const fault of allFaults(plan, path, outcome)) {
          findings.push({ seed, fault, request: shown(bytes), response: responseText(outcome) });
        }
      }

      function remember(operation: string, { status, body }: RawResponse): void {
        const list = operation === 'createWebhookEndpoint' ? endpoints : recent;
        const isNew = operation === 'createWebhookEndpoint' ? status === 201 : status === 202;
        if (!isNew || !['createWebhookEndpoint', 'submitJob', 'retryJob'].includes(operation)) return;
        list.unshift(JSON.parse(body.toString()).id);
        list.length = Math.min(list.length, 40);
      }

      // Generated before the first is sent: on a busy machine, a request in flight would miss its time limits meanwhile.
      const upcoming = [...sampled(plans)].values();
      const sender = async () => {
        for (const { plan, seed } of upcoming) await send(plan, seed);
      };
      await Promise.all(Array.from({ length: maxConcurrent }, sender));
      report(histogram);
      expect(firstOfEach(findings).map(describeFinding)).toEqual([]);
    },
    20_000 + requestCount * 100,
  );

  function allFaults(plan: RequestPlan, path: string, outcome: Outcome): string[] {
    if (typeof outcome === 'string') return [`${outcome} instead of a response`];
    const { method, isBrokenHttp } = plan;
    return [
      ...faultsOf(api, { method, path, isBrokenHttp }, outcome),
      ...acceptanceFaults(plan, path, outcome),
    ];
  }

  /** Returns a fault if the service accepted a body that the schema forbids. */
  function acceptanceFaults(plan: RequestPlan, path: string, response: RawResponse): string[] {
    const operation = api.match(plan.method, path);
    if (operation === null || typeof operation === 'string' || !operation.bodySchema || !plan.bodyValue)
      return [];
    if (response.status >= 300 || api.validator(operation.bodySchema)(plan.bodyValue.value)) return [];
    return [`${operation.id} accepted a body that its schema forbids`];
  }
});

/** Generates the requests of the run. */
function* sampled(plans: Arbitrary<RequestPlan>): Generator<{ plan: RequestPlan; seed: number }> {
  for (let made = 0, seed = firstSeed; made < requestCount; made += perSeed, seed++) {
    const numRuns = Math.min(perSeed, requestCount - made);
    for (const plan of fc.sample(plans, { seed, numRuns })) yield { plan, seed };
  }
}

function shown(bytes: Buffer): string {
  const text = JSON.stringify(
    bytes.toString('latin1').replace(/(.)\1{40,}/gs, (run, one) => `${one}{${run.length}}`),
  );
  return text.length > 1_500 ? `${text.slice(0, 1_500)}... (${bytes.length} bytes)` : text;
}

function responseText(outcome: Outcome): string {
  if (typeof outcome === 'string') return outcome;
  return `${outcome.status} ${JSON.stringify(outcome.headers)} ${outcome.body.toString('utf8', 0, 600)}`;
}

/** Returns the first finding of every kind. Findings that differ in numbers or quoted texts are one kind. */
function firstOfEach(findings: readonly Finding[]): (Finding & { times: number })[] {
  const kinds = new Map<string, Finding & { times: number }>();
  for (const finding of findings) {
    const kind = finding.fault.replace(/[0-9]+/g, '#').replace(/"[^"]*"/g, '""');
    const known = kinds.get(kind);
    kinds.set(kind, { ...(known ?? finding), times: (known?.times ?? 0) + 1 });
  }
  return [...kinds.values()];
}

function describeFinding({ seed, fault, request, response, times }: Finding & { times: number }): string {
  return `${fault} (${times} times)\n  repeat: FUZZ_SEED=${seed} FUZZ_REQUESTS=${perSeed}\n  sent: ${request}\n  got: ${response}`;
}

function report(histogram: ReadonlyMap<string, number>): void {
  const lines = [...histogram]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, count]) => `  ${String(count).padStart(6)}  ${label}`);
  console.log(`seed ${firstSeed}, ${requestCount} requests:\n${lines.join('\n')}`);
}
