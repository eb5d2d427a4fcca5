import { beforeAll, describe, expect, it } from 'vitest';
import type { JobClaim, WaitingCallers } from '../../src/domain/ports/callers.ts';
import { createWaitingCallers } from '../../src/outbound/records/waiting-callers.ts';
import { connectTestStore } from '../support/store.ts';

const minute = 60_000;
const startMs = 1_764_000_000_000;

let store: Awaited<ReturnType<typeof connectTestStore>>;
let callers: WaitingCallers;
let groups = 0;
beforeAll(async () => {
  store = await connectTestStore();
  callers = createWaitingCallers(store.redis, store.keys);
});

/** Reports a process as last seen the given time ago. Its presence lasts 20 minutes. */
const seenBefore = (process: string, agoMs: number) =>
  store.redis.set(store.keys.presence(process), '1', 'PX', 20 * minute - agoMs);

/** Resolves when the presence of any process was read. */
async function lookedUp(): Promise<string> {
  const reads = async () =>
    Number(/cmdstat_pttl:calls=(\d+)/.exec(await store.redis.info('commandstats'))?.[1]);
  const before = await reads();
  while ((await reads()) === before) await new Promise(setImmediate);
  return 'looked up';
}

/** Creates the claims of one group of equal requests. */
function newGroup() {
  groups += 1;
  const group = `group-${groups}`;
  const base = { tenant: 'acme', group };
  let jobs = 0;
  return {
    claim(options: Partial<JobClaim> = {}) {
      jobs += 1;
      const jobId = `img_${group}_${jobs}`;
      return callers.claim({
        ...base,
        jobId,
        holder: `p1.${jobs}`,
        isRetry: false,
        nowMs: startMs,
        ...options,
      });
    },
    release: (jobId: string, holder: string, outcome: 'delivered' | 'disconnected') =>
      callers.release({ ...base, jobId, holder, nowMs: startMs }, outcome),
    size: () => store.redis.hlen(store.keys.waitingCallers('acme', group)),
  };
}

describe('waiting callers in Redis', () => {
  it('creates one job for each of several concurrent equal requests', async () => {
    const { claim } = newGroup();
    await seenBefore('p2', 0);
    const first = await claim();
    const second = await claim({ holder: 'p2.1' });
    expect([first, second].map(({ isJoined }) => isJoined)).toEqual([false, false]);
    expect(first.jobId).not.toBe(second.jobId);
  });

  it('lets exactly one of many processes join a job without a caller', async () => {
    const { claim, release } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await release(jobId, 'p1.a', 'disconnected');
    await Promise.all(['p2', 'p3', 'p4'].map((process) => seenBefore(process, 0)));
    const claims = await Promise.all(['p2', 'p3', 'p4'].map((process) => claim({ holder: `${process}.1` })));
    expect(claims.filter(({ isJoined }) => isJoined).map((each) => each.jobId)).toEqual([jobId]);
  });

  it('joins the youngest of several jobs without a caller', async () => {
    const { claim, release } = newGroup();
    const older = await claim({ holder: 'p1.a' });
    const younger = await claim({ holder: 'p1.b', nowMs: startMs + 1 });
    await release(older.jobId, 'p1.a', 'disconnected');
    await release(younger.jobId, 'p1.b', 'disconnected');
    expect(await claim({ nowMs: startMs + 2 })).toEqual({ jobId: younger.jobId, isJoined: true });
  });

  it('does not join a job that lost its caller more than ten minutes ago', async () => {
    const { claim, release } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await release(jobId, 'p1.a', 'disconnected');
    expect(await claim({ nowMs: startMs + 10 * minute + 1 })).toMatchObject({ isJoined: false });
  });

  it('joins the job of a dead process but not the job of a live process', async () => {
    const { claim } = newGroup();
    await seenBefore('alive', 1_000);
    await seenBefore('dead', 9_000);
    await claim({ holder: 'alive.1' });
    const orphan = await claim({ holder: 'dead.1' });
    expect(await claim({ holder: 'p9.1' })).toEqual({ jobId: orphan.jobId, isJoined: true });
    expect(await claim({ holder: 'p9.2' })).toMatchObject({ isJoined: false });
  });

  it('waits for a late process, and creates a job if the process reports again', async () => {
    const { claim } = newGroup();
    await seenBefore('late', 2_000);
    await claim({ holder: 'late.1' });
    const claimed = claim({ holder: 'p9.1' });
    await expect(Promise.race([claimed, lookedUp()])).resolves.toBe('looked up');
    await seenBefore('late', 0);
    expect(await claimed).toMatchObject({ isJoined: false });
  });

  it('waits for a late process, and joins its job if the process stays silent', async () => {
    const { claim } = newGroup();
    await seenBefore('dying', 7_000);
    const orphan = await claim({ holder: 'dying.1' });
    expect(await claim({ holder: 'p9.1' })).toEqual({ jobId: orphan.jobId, isJoined: true });
  });

  it('lets a marked retry join a job whose caller still waits, up to 30 minutes after its acceptance', async () => {
    const { claim } = newGroup();
    const { jobId } = await claim();
    const retry = { isRetry: true, nowMs: startMs + 30 * minute };
    expect(await claim(retry)).toEqual({ jobId, isJoined: true });
    expect(await claim({ ...retry, nowMs: startMs + 30 * minute + 1 })).toMatchObject({ isJoined: false });
  });

  it('removes a delivered job, so that no retry joins it', async () => {
    const { claim, release, size } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await release(jobId, 'p1.a', 'delivered');
    expect(await size()).toBe(0);
    expect(await claim({ isRetry: true })).toMatchObject({ isJoined: false });
  });

  it('ignores the end of a wait that another caller has taken over', async () => {
    const { claim, release } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await claim({ holder: 'p1.b', isRetry: true });
    await release(jobId, 'p1.a', 'disconnected');
    expect(await claim({ holder: 'p1.c' })).toMatchObject({ isJoined: false });
  });
});
