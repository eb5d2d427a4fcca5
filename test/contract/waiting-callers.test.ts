import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DeliveryOutcome, JobClaim, WaitingCallers } from '../../src/domain/ports/callers.ts';
import { createWaitingCallers, startPresence } from '../../src/outbound/records/waiting-callers.ts';
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

/** Lets a process report until the end of the test. */
const lives = (process: string) => onTestFinished(startPresence(store.redis, store.keys.presence(process)));

/** Resolves when the presence of any process was read. */
async function lookedUp(): Promise<string> {
  const reads = async () =>
    Number(/cmdstat_pttl:calls=(\d+)/.exec(await store.redis.info('commandstats'))?.[1]);
  const before = await reads();
  while ((await reads()) === before) await new Promise(setImmediate);
  return 'looked up';
}

type ReleaseOptions = Partial<JobClaim> & { readonly isUnconfirmed?: boolean };

/** First retry of a client, after the pause that the client makes. */
const retry = { earlierTries: 1, nowMs: startMs + 400 };

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
      return callers.claim({ ...base, jobId, holder: `p1.${jobs}`, nowMs: startMs, ...options });
    },
    release: (
      [jobId, holder]: readonly [string, string],
      outcome: DeliveryOutcome,
      more: ReleaseOptions = {},
    ) => callers.release({ ...base, jobId, holder, nowMs: startMs, ...more }, outcome, more),
    defer: (jobId: string, more: Partial<JobClaim> = {}) =>
      callers.defer({ ...base, jobId, holder: 'p1.d', nowMs: startMs, ...more }),
    /** Writes the value of a job directly. */
    write: (jobId: string, value: string) =>
      store.redis.hset(store.keys.waitingCallers('acme', group), jobId, value),
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
    await release([jobId, 'p1.a'], 'disconnected');
    for (const process of ['p2', 'p3', 'p4']) lives(process);
    const claims = await Promise.all(['p2', 'p3', 'p4'].map((process) => claim({ holder: `${process}.1` })));
    expect(claims.filter(({ isJoined }) => isJoined).map((each) => each.jobId)).toEqual([jobId]);
  });

  it('joins the youngest of several jobs without a caller', async () => {
    const { claim, release } = newGroup();
    const older = await claim({ holder: 'p1.a' });
    const younger = await claim({ holder: 'p1.b', nowMs: startMs + 1 });
    await release([older.jobId, 'p1.a'], 'disconnected');
    await release([younger.jobId, 'p1.b'], 'disconnected');
    expect(await claim({ nowMs: startMs + 2 })).toEqual({ jobId: younger.jobId, isJoined: true });
  });

  it('does not join a job that lost its caller more than ten minutes ago', async () => {
    const { claim, release } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await release([jobId, 'p1.a'], 'disconnected');
    expect(await claim({ nowMs: startMs + 10 * minute + 1 })).toMatchObject({ isJoined: false });
  });

  it('joins the job of a dead process but not the job of a live process', async () => {
    const { claim } = newGroup();
    lives('alive');
    await seenBefore('dead', 9_000);
    await claim({ holder: 'alive.1' });
    const orphan = await claim({ holder: 'dead.1' });
    expect(await claim({ holder: 'p9.1' })).toEqual({ jobId: orphan.jobId, isJoined: true });
    expect(await claim({ holder: 'p9.2' })).toMatchObject({ isJoined: false });
  });

  it('joins the job of a process that reported a moment ago and died since', async () => {
    const { claim } = newGroup();
    await seenBefore('gone', 200);
    const orphan = await claim({ holder: 'gone.1' });
    const claimed = claim({ holder: 'p9.1' });
    await expect(Promise.race([claimed, lookedUp()])).resolves.toBe('looked up');
    await seenBefore('gone', 9_000);
    expect(await claimed).toEqual({ jobId: orphan.jobId, isJoined: true });
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
    expect(await claim({ ...retry, nowMs: startMs + 30 * minute })).toEqual({ jobId, isJoined: true });
    const late = newGroup();
    await late.claim();
    const tooLate = { ...retry, nowMs: startMs + 30 * minute + 1 };
    expect(await late.claim(tooLate)).toMatchObject({ isJoined: false });
  });

  it('gives every one of parallel retries a job of its own', async () => {
    const { claim } = newGroup();
    const firsts = [await claim({ earlierTries: 0 }), await claim({ earlierTries: 0 })];
    const retries = [await claim(retry), await claim(retry), await claim(retry)];
    const ids = retries.map(({ jobId }) => jobId);
    expect(ids.slice(0, 2).toSorted()).toEqual(firsts.map(({ jobId }) => jobId).toSorted());
    expect(retries.map(({ isJoined }) => isJoined)).toEqual([true, true, false]);
  });

  it('lets a second retry take over the job of the first retry, and no retry the job of a later one', async () => {
    const { claim } = newGroup();
    const { jobId } = await claim({ earlierTries: 0 });
    await claim(retry);
    const second = { earlierTries: 2, nowMs: startMs + 1_400 };
    expect(await claim(second)).toEqual({ jobId, isJoined: true });
    expect(await claim({ ...second, nowMs: startMs + 9_000 })).toMatchObject({ isJoined: false });
  });

  it('lets a retry that comes before its pause wait, and join the job that loses its caller meanwhile', async () => {
    const { claim, release } = newGroup();
    const left = await claim({ holder: 'p1.a', earlierTries: 0 });
    await claim({ holder: 'p1.b', earlierTries: 0, nowMs: startMs + 1 });
    const early = claim({ ...retry, nowMs: startMs + 100 });
    await release([left.jobId, 'p1.a'], 'disconnected', { earlierTries: 0 });
    expect(await early).toEqual({ jobId: left.jobId, isJoined: true });
  });

  it.each([
    ['the same clock', 0],
    ['a clock that is ahead', 5 * minute],
  ])('lets a retry before its pause join a job that waits after it in a process with %s', async (_, ms) => {
    const { claim } = newGroup();
    const { jobId } = await claim({ earlierTries: 0, nowMs: startMs + ms });
    expect(await claim({ ...retry, nowMs: startMs + 200 })).toEqual({ jobId, isJoined: true });
  });

  it('prefers for a retry a job without a caller to a younger job whose caller waits', async () => {
    const { claim, release } = newGroup();
    await seenBefore('gone', 9_000);
    const orphan = await claim({ holder: 'p1.a', earlierTries: 0 });
    await claim({ nowMs: startMs + 1, earlierTries: 0 });
    await release([orphan.jobId, 'p1.a'], 'disconnected', { earlierTries: 0 });
    expect(await claim(retry)).toEqual({ jobId: orphan.jobId, isJoined: true });
    const other = newGroup();
    const dead = await other.claim({ holder: 'gone.1', earlierTries: 0 });
    await other.claim({ nowMs: startMs + 1, earlierTries: 0 });
    expect(await other.claim(retry)).toEqual({ jobId: dead.jobId, isJoined: true });
  });

  it('gives the retry of a refused try the place of that try instead of the job of another caller', async () => {
    const { claim, release, defer } = newGroup();
    await claim({ earlierTries: 0 });
    const refused = await claim({ holder: 'p1.b', earlierTries: 0 });
    await release([refused.jobId, 'p1.b'], 'deferred', { earlierTries: 0 });
    await defer('img_deferred', { earlierTries: 0 });
    const ids = [await claim(retry), await claim(retry)].map(({ jobId }) => jobId);
    expect(ids.toSorted()).toEqual([refused.jobId, 'img_deferred'].toSorted());
  });

  it('keeps no place for a client that does not number its tries, and a place for two minutes only', async () => {
    const { claim, release, defer, size } = newGroup();
    const refused = await claim({ holder: 'p1.b' });
    await release([refused.jobId, 'p1.b'], 'deferred');
    await defer('img_deferred');
    expect(await size()).toBe(0);
    await defer('img_numbered', { earlierTries: 0 });
    const late = { ...retry, nowMs: startMs + 2 * minute + 1 };
    expect(await claim(late)).toMatchObject({ isJoined: false });
    expect(await size()).toBe(1);
  });

  it('gives a job back if it does not know whether its claim joined it', async () => {
    const { claim, release } = newGroup();
    const orphan = await claim({ holder: 'p1.a' });
    await release([orphan.jobId, 'p1.a'], 'disconnected');
    await claim({ holder: 'p1.b', jobId: 'img_new' });
    await release(['img_new', 'p1.b'], 'deferred', { isUnconfirmed: true });
    expect(await claim()).toEqual({ jobId: orphan.jobId, isJoined: true });
  });

  it('skips a value that it cannot read, and reads those of the previous release', async () => {
    const { claim, write } = newGroup();
    await write('img_unreadable', 'of a later release');
    await write('img_before', `${startMs} orphan ${startMs} p7.12`);
    expect(await claim()).toEqual({ jobId: 'img_before', isJoined: true });
  });

  it('removes a delivered job, so that no retry joins it', async () => {
    const { claim, release, size } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await release([jobId, 'p1.a'], 'delivered');
    expect(await size()).toBe(0);
    expect(await claim(retry)).toMatchObject({ isJoined: false });
  });

  it('ignores the end of a wait that another caller has taken over', async () => {
    const { claim, release } = newGroup();
    const { jobId } = await claim({ holder: 'p1.a' });
    await claim({ ...retry, holder: 'p1.b' });
    expect(await release([jobId, 'p1.a'], 'disconnected')).toBe(false);
    expect(await claim({ holder: 'p1.c' })).toMatchObject({ isJoined: false });
  });
});
