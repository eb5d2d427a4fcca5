import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };

/** Decodes every response as an image with the given text. */
const decoderOf = (text: string) => async () => ({
  image: { bytes: Buffer.from(text), sha256: '', contentType: 'image/png', width: 1, height: 1 },
  usage: null,
  revisedPrompt: null,
});

describe('the provider of a call', () => {
  it('records the provider in the attempts of images and enhancements', async () => {
    const made = generation({
      request: { enhance: 'always' },
      provider: 'openai',
      decoders: { openai: decoderOf('x') },
    });
    await made.run();
    expect(made.job().attempts).toMatchObject([
      { kind: 'enhance', provider: 'studio', model: 'gpt-5.4-mini' },
      { kind: 'generate', provider: 'openai' },
    ]);
  });

  it('includes the provider in the breaker scopes, so that a block of one provider does not block another', async () => {
    const made = generation({
      provider: 'openai',
      decoders: { openai: decoderOf('x') },
      responses: [failureOf('stopped', 'provider_unauthorized')],
    });
    await made.run();
    expect([...made.blocked.keys()]).toEqual(['openai:account']);
    expect(made.scopesChecked[0]).toEqual(['openai:model:gpt-image-2', 'openai:account']);
  });

  it.each(['run', 'recovery'] as const)(
    'decodes a spooled response of the former provider in a %s after the configuration changed',
    async (finisher) => {
      const made = generation({
        provider: 'openai',
        decoders: { openai: decoderOf('decoded by openai'), studio: decoderOf('decoded by studio') },
      });
      made.set((job) => ({
        ...beginRun(job, createdAt),
        attempts: [attemptOf({ state: 'received', provider: 'studio', receivedAt: createdAt })],
      }));
      made.spoolBody(1, 'paid before', 'studio');
      if (finisher === 'run') expect(await made.run()).toEqual(done);
      else {
        // The job has no lease any more, because the run that paid is gone.
        made.set(({ leaseStartedAt: _leaseStartedAt, ...job }) => job);
        await made.recoverSpooledResponses(new AbortController().signal);
      }
      expect(made.calls).toHaveLength(0);
      expect([...made.stored.values()].map(String)).toEqual(['decoded by studio']);
      expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
    },
  );

  it('queries no provider for a handle of another provider', async () => {
    const made = generation({ onUncertain: 'fail' });
    const attempt = attemptOf({ state: 'calling', provider: 'openai', handle: 'resp_1' });
    made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attempt] }));
    expect(await made.run()).toEqual(done);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'provider_outcome_unknown' }] });
  });
});

describe('a paid response that only another release can read', () => {
  const left = (spool: (made: ReturnType<typeof generation>) => void) => {
    const made = generation({ request: { run_timeout_s: 60, n: 1 } });
    made.set((job) => ({ ...beginRun(job, createdAt), attempts: [attemptOf({ state: 'received' })] }));
    spool(made);
    return made;
  };
  const cases: [string, (made: ReturnType<typeof generation>) => void][] = [
    ['of a newer spool version', (made) => made.spoolUnknown(1)],
    ['of an unknown provider', (made) => made.spoolBody(1, 'image', 'of-tomorrow')],
  ];

  it.each(cases)(
    'never pays again for an unreadable response %s, and run_timeout_s does not end its job',
    async (_name, spool) => {
      const made = left(spool);
      for (let waits = 0; waits < 20; waits++) {
        expect(await made.run()).toEqual({ againInMs: 30_000 });
        made.passTime(30_000);
      }
      expect(made.calls).toHaveLength(0);
      expect(made.job()).toMatchObject({
        status: 'running',
        stage: 'storing',
        attempts: [{ state: 'received' }],
        blocked: { untilMs: expect.any(Number) },
      });
    },
  );

  it('finalizes a response as soon as a release that reads it runs', async () => {
    const made = left((each) => each.spoolUnknown(1));
    await made.run();
    made.passTime(3_600_000);
    made.spoolBody(1, 'image of the newer release');
    expect(await made.run()).toEqual(done);
    expect(made.calls).toHaveLength(0);
    expect(made.job()).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
    expect(made.job()).not.toHaveProperty('blocked');
  });

  it('continues with the other images of a job whose response is unreadable', async () => {
    const made = left((each) => each.spoolUnknown(1));
    made.set((job) => (job.request ? { ...job, request: { ...job.request, n: 2 } } : job));
    expect(await made.run()).toEqual({ againInMs: 30_000 });
    expect(made.calls).toHaveLength(1);
    expect(made.job().images.map(({ index }) => index)).toEqual([1]);
  });
});
