import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '../../../src/config/variables.ts';
import { storageIn } from '../../support/bucket.ts';
import { compileService } from '../../support/compile-service.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { startTestS3 } from '../../support/s3-server.ts';
import { type EventLog, startEventLog } from '../ledgers/event-log.ts';
import { createWorkLog, type WorkLog } from '../ledgers/work-log.ts';
import { createMember, type Member } from './member.ts';
import { type Provider, startProvider } from './provider.ts';

/** A deployment of real processes on this machine with its dependencies, for fault injection. */
export interface Fleet {
  readonly apis: readonly Member[];
  readonly workers: readonly Member[];
  readonly webhooks: Member;
  readonly members: readonly Member[];
  readonly redis: TestRedis;
  /** Proxy between the deployment and its storage. */
  readonly storage: FaultProxy;
  readonly provider: Provider;
  readonly events: EventLog;
  readonly work: WorkLog;
  /** Unexpected ends of processes. */
  readonly crashes: readonly string[];
  readonly apiKey: string;
  /** Whether calls continue at the provider without their worker. */
  readonly isBackground: boolean;
  /** Folder with the data and the logs of all processes. */
  readonly folder: string;
  /** Kills a member like the loss of its machine. */
  kill(member: Member): Promise<void>;
  /** Starts all stopped processes and removes all faults. */
  heal(): Promise<void>;
  /** Ends everything. `keepFolder` preserves the folder for inspection. */
  stop(options?: { keepFolder?: boolean }): Promise<void>;
}

export const keyPrefix = 'chaos';
/** Number of jobs that one worker runs concurrently. */
export const concurrency = 4;
const apiKey = 'key-of-acme-for-chaos';
const providerLatencyMs = 300;

/** Starts everything outside the processes of the deployment. Each start adds its end to `undo`. */
async function startDependencies(folder: string, undo: (() => unknown)[]) {
  const redis = await startTestRedis();
  undo.push(redis.stop);
  const s3 = await startTestS3();
  undo.push(s3.stop);
  const storage = await startFaultProxy(Number(new URL(s3.endpoint).port));
  undo.push(storage.close);
  const provider = await startProvider(folder, providerLatencyMs);
  undo.push(provider.stop);
  const events = await startEventLog();
  undo.push(events.close);
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'debug',
    SHUTDOWN_GRACE_S: '20',
    REDIS_URL: redis.url,
    REDIS_KEY_PREFIX: keyPrefix,
    PROVIDER: 'openai',
    OPENAI_API_KEY: 'sk-of-chaos',
    OPENAI_BASE_URL: provider.baseUrl,
    SECRETS_KEY: Buffer.alloc(32, 7).toString('base64'),
    API_KEYS: `acme:${apiKey}`,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    // All events go to one host, faster than a deployment would send them.
    WEBHOOK_HOST_PER_MINUTE: '1000000',
    WEBHOOK_TENANT_PER_MINUTE: '1000000',
    WORKER_CONCURRENCY: String(concurrency),
    ...storageIn({ ...s3, endpoint: `http://127.0.0.1:${storage.port}` }),
  };
  return { redis, storage, provider, events, env };
}

/**
 * Starts API processes, by default 2, 3 workers and 1 webhooks process with Redis, storage, provider and webhook endpoint.
 */
export async function startFleet(
  overrides: Readonly<Record<string, string>> = {},
  apiCount = 2,
): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'darkroom-chaos-'));
  const service = await compileService();
  const undo: (() => unknown)[] = [service.remove];
  const stop = async ({ keepFolder = false } = {}) => {
    for (const step of undo.splice(0).reverse()) await step();
    if (!keepFolder) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const { env, ...dependencies } = await startDependencies(folder, undo);
    const { redis, storage } = dependencies;
    const work = createWorkLog();
    const crashes: string[] = [];
    const member = (name: string, role: Role) =>
      createMember(
        { name, role, folder, program: join(service.folder, 'main.js'), env: { ...env, ...overrides } },
        { onLine: work.record, onCrash: (how) => void crashes.push(how) },
      );
    const apis = Array.from({ length: apiCount }, (_, i) => member(`api-${i + 1}`, 'api'));
    const workers = ['worker-1', 'worker-2', 'worker-3'].map((name) => member(name, 'worker'));
    const webhooks = member('webhooks', 'webhooks');
    const members = [...apis, ...workers, webhooks];
    undo.push(() => Promise.all(members.map((each) => each.end('SIGKILL'))));
    await Promise.all(members.map((each) => each.start()));
    if (crashes.length > 0) throw new Error(crashes.join('\n'));
    const isBackground = overrides.OPENAI_MODE === 'responses';
    return {
      ...dependencies,
      ...{ apis, workers, webhooks, members, work, crashes, apiKey, isBackground, folder, stop },
      async kill(target) {
        const life = target.pid();
        const atMs = Date.now();
        await target.end('SIGKILL');
        work.recordKill(life, atMs);
      },
      async heal() {
        await storage.set({ kind: 'pass' });
        if (!isAlive(redis.pid())) await redis.restart();
        for (const each of members) each.resume();
        await Promise.all(members.map((each) => each.start()));
      },
    };
  } catch (error) {
    await stop({ keepFolder: true });
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
