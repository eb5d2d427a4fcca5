import { once } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorkerRuns } from '../../src/outbound/records/worker-runs.ts';
import { connectTestStore } from '../support/store.ts';

const job = (id: string) => ({ tenant: 'acme', id });

let store: Awaited<ReturnType<typeof connectTestStore>>;
let processes = 0;
beforeAll(async () => {
  store = await connectTestStore();
});
const startWorker = () => {
  processes += 1;
  return createWorkerRuns(store.redis, store.keys, `worker-${processes}`);
};

describe('the runs of a worker process', () => {
  it('shows every run that a killed process had begun and not ended, to each of their next runs', async () => {
    const [killed, other] = [startWorker(), startWorker()];
    for (const id of ['a', 'b', 'c', 'd']) await killed.begin(job(id));
    await killed.end(job('d'));
    await other.begin(job('a'));
    await other.end(job('a'));
    expect(await other.endedWith(killed.worker, job('a'))).toBe(3);
    expect(await other.endedWith(killed.worker, job('b'))).toBe(3);
    expect(await other.endedWith(killed.worker, job('d'))).toBe(0);
    expect(await other.endedWith('unknown', job('a'))).toBe(0);
  });

  it('removes a run that ended during an outage of Redis when the next run begins', async () => {
    const [worker, other] = [startWorker(), startWorker()];
    await worker.begin(job('a'));
    const ended = once(store.redis, 'end');
    store.redis.disconnect();
    await ended;
    await worker.end(job('a'));
    await store.redis.connect();
    expect(await other.endedWith(worker.worker, job('a'))).toBe(1);
    await worker.begin(job('b'));
    expect(await other.endedWith(worker.worker, job('a'))).toBe(0);
    expect(await other.endedWith(worker.worker, job('b'))).toBe(1);
  });

  it('leaves no key of a process that ended all of its runs', async () => {
    const worker = startWorker();
    await Promise.all(['a', 'b'].map((id) => worker.begin(job(id))));
    await Promise.all(['a', 'b'].map((id) => worker.end(job(id))));
    expect(await store.redis.exists(store.keys.workerRuns(worker.worker))).toBe(0);
  });

  it('expires the runs of a killed process', async () => {
    const worker = startWorker();
    await worker.begin(job('a'));
    expect(await store.redis.ttl(store.keys.workerRuns(worker.worker))).toBeGreaterThan(3_600);
  });
});
