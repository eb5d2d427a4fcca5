import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Studio, startStudio } from '../../src/local/studio/studio.ts';
import { createKeys } from '../../src/outbound/records/keys.ts';
import { type HttpProxy, startHttpProxy } from '../support/http-proxy.ts';
import {
  type Cell,
  jobsOf,
  optionsFor,
  type Reconciliation,
  reconcile,
  startClientProcess,
  useClient,
} from '../support/openai-client-cells.ts';
import { type ImageClient, loadClients } from '../support/openai-clients.ts';
import { createEnvironment, type TestEnvironment } from '../support/service-environment.ts';
import { type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

/** Drives every client through every fault, and compares the images of its caller with what the provider charged. */

vi.setConfig({ testTimeout: 120_000 });

const clients = await loadClients();
const all: readonly ImageClient[] = clients ? [...clients.all, ...clients.streams] : [];

/** Size of an image. A short response would be in the buffers of the kernel before any fault can break it. */
const imageBytes = 1_000_000;

let environment: TestEnvironment;
let studio: Studio;
let redis: Redis;
let api: ServiceProcess;
let worker: ServiceProcess;
let proxies: HttpProxy[];

const startRole = (roles: string, more: Record<string, string> = {}) =>
  startServiceProcess({ ...environment.env, ROLES: roles, OPENAI_BASE_URL: studio.baseUrl, ...more });

beforeAll(async () => {
  environment = await createEnvironment();
  studio = await startStudio({ imageBytes });
  redis = new Redis(environment.env.REDIS_URL ?? '');
  [api, worker] = await Promise.all([startRole('api'), startRole('worker,webhooks')]);
  proxies = await Promise.all(all.map(() => startHttpProxy(() => api.url)));
});
afterAll(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await Promise.all([api.stop('SIGKILL'), worker.stop('SIGKILL')]);
  redis.disconnect();
  await studio.stop();
  await environment.remove();
});

const callsFor = (prompt: string) => studio.calls.filter((call) => call.prompt === prompt);

/** Resolves when the provider works on the prompt of a cell. */
const atProvider = (prompt: string) =>
  expect.poll(() => callsFor(prompt).length, { timeout: 60_000 }).toBeGreaterThan(0);

/** Resolves when the service knows that no caller waits for a job with the prompt. */
async function untilOrphaned(prompt: string): Promise<void> {
  const [job] = await jobsOf(api.acme, prompt);
  const keys = createKeys(environment.env.REDIS_KEY_PREFIX ?? '');
  const states = async () => {
    const groups = await redis.keys(keys.waitingCallers('acme', '*'));
    const members = await Promise.all(groups.map((group) => redis.hget(group, job?.id ?? '')));
    return members.flatMap((member) => member?.split(' ')[1] ?? []);
  };
  await expect.poll(states, { timeout: 20_000 }).not.toContain('waiting');
}

const isUp = () =>
  fetch(`${api.url}/livez`).then(
    ({ ok }) => ok,
    () => false,
  );

interface Fault {
  readonly title: string;
  /** Words for the provider in the prompt. */
  readonly words: string;
  /** Changes the deployment before the first request. */
  readonly prepare?: () => Promise<void>;
  /** Prepares the fault of one cell. */
  readonly arrange?: (cell: Cell) => void;
  /** Breaks something once, while the provider works for all cells. */
  readonly act?: () => Promise<void>;
  /** Resolves when the user may repeat a failed call. Default: when the service knows that the caller is gone. */
  readonly beforeRepeat?: (cell: Cell) => Promise<unknown>;
  readonly use?: (cell: Cell) => Promise<string[]>;
  readonly expected: Omit<Reconciliation, 'client'>;
}

const once = { delivered: 1, charged: 1, uncertain: 0, stored: 1 };
const paidAgain = { delivered: 1, charged: 2, uncertain: 1, stored: 1 };

const faults: readonly Fault[] = [
  {
    title: 'a connection that breaks before the headers',
    words: '[studio:latency=1500]',
    arrange: ({ proxy, prompt }) => proxy.breakNext('cut-before-headers', () => atProvider(prompt)),
    expected: once,
  },
  {
    title: 'a connection that breaks behind the headers',
    words: '',
    arrange: ({ proxy }) => proxy.breakNext('cut-after-headers'),
    expected: once,
  },
  {
    title: 'a proxy that sends 524 while the provider works',
    words: '[studio:latency=1500]',
    arrange: ({ proxy, prompt }) => proxy.breakNext('gateway-timeout', () => atProvider(prompt)),
    expected: once,
  },
  {
    title: 'a client process that is killed and started again',
    words: '[studio:latency=1500]',
    async use(cell) {
      const killed = startClientProcess(cell);
      await atProvider(cell.prompt);
      killed.kill('SIGKILL');
      await untilOrphaned(cell.prompt);
      return useClient(cell, () => untilOrphaned(cell.prompt));
    },
    expected: once,
  },
  {
    title: 'a provider that responds with 500 once',
    words: '[studio:error=500,times=1]',
    expected: paidAgain,
  },
  {
    title: 'a provider that hangs up once',
    words: '[studio:hang-up,times=1]',
    expected: paidAgain,
  },
  {
    // Long enough for the start of the slowest client, so that all calls have begun.
    title: 'a worker that is killed while the provider works',
    words: '[studio:latency=6000]',
    async act() {
      await worker.stop('SIGKILL');
      worker = await startRole('worker,webhooks');
    },
    expected: paidAgain,
  },
  {
    title: 'an API process that is killed while the provider works',
    words: '[studio:latency=6000]',
    async act() {
      await api.stop('SIGKILL');
      api = await startRole('api');
    },
    beforeRepeat: () => expect.poll(isUp, { timeout: 30_000 }).toBe(true),
    expected: once,
  },
  {
    title: 'a provider that never responds, until the run timeout',
    words: '[studio:hang]',
    async prepare() {
      await api.stop();
      api = await startRole('api', { RUN_TIMEOUT_S: '4' });
    },
    expected: { delivered: 0, charged: 1, uncertain: 1, stored: 0 },
  },
];

describe.runIf(clients).each(faults)('$title', (fault: Fault) => {
  it('costs every client what it delivers and what the ledger shows as uncertain', async () => {
    // A second try of the test counts its own jobs and calls.
    const id = randomUUID();
    const cells = all.map(({ name, ...client }, i): Cell => {
      const prompt = `${fault.title} for ${name} ${id} ${fault.words}`.trim();
      return { client: { name, ...client }, prompt, proxy: proxies[i] as HttpProxy };
    });
    await fault.prepare?.();
    for (const cell of cells) fault.arrange?.(cell);
    const beforeRepeat = fault.beforeRepeat ?? (({ prompt }) => untilOrphaned(prompt));
    const used = cells.map(fault.use ?? ((cell) => useClient(cell, () => beforeRepeat(cell))));
    if (fault.act) {
      await Promise.all(cells.map(({ prompt }) => atProvider(prompt)));
      await fault.act();
    }
    const digests = await Promise.all(used);
    const ledgers = await Promise.all(
      cells.map((cell, i) =>
        reconcile(cell, { caller: api.acme, calls: studio.calls, digests: digests[i] ?? [] }),
      ),
    );
    expect(ledgers).toEqual(all.map(({ name }) => ({ client: name, ...fault.expected })));
    for (const { charged, delivered, uncertain } of ledgers) expect(charged).toBe(delivered + uncertain);
  });
});

describe.runIf(clients)('two equal requests side by side', () => {
  it('are two jobs and two images for every client', async () => {
    const counts = all.map(async (client, i) => {
      const prompt = `Twins for ${client.name} ${randomUUID()} [studio:latency=500]`;
      const request = { prompt, model: 'gpt-image-2' };
      const options = optionsFor(proxies[i] as HttpProxy);
      await Promise.all([client.generate(options, request), client.generate(options, request)]);
      const jobs = await jobsOf(api.acme, prompt);
      return { client: client.name, jobs: jobs.length, charged: callsFor(prompt).length };
    });
    expect(await Promise.all(counts)).toEqual(all.map(({ name }) => ({ client: name, jobs: 2, charged: 2 })));
  });
});
