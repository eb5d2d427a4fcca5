import { describe, expect, it } from 'vitest';
import { beginExecution } from '../../../src/domain/image-job.ts';
import { failureOf, generation } from '../../support/generation.ts';
import { attemptOf, createdAt } from '../../support/jobs.ts';

const done = { done: true };
const prompt = 'A fox';

describe('expanding a prompt', () => {
  it('happens when asked for, and its text goes to the image model', async () => {
    const made = generation({ request: { prompt, enhance: 'always', n: 2 } });
    expect(await made.run()).toEqual(done);
    expect(made.enhancements).toEqual([prompt]);
    expect(made.calls.map((call) => call.prompt)).toEqual(['A fox, in detail', 'A fox, in detail']);
    expect(made.job()).toMatchObject({
      enhancedPrompt: 'A fox, in detail',
      attempts: [{ kind: 'enhance', state: 'stored', costMicroUsd: 1_200 }, {}, {}],
    });
  });

  it.each([
    ['off', 'x'.repeat(10), 0],
    ['auto', 'x'.repeat(160), 1],
    ['auto', 'x'.repeat(161), 0],
    ['auto', '🦊'.repeat(160), 1],
    ['always', 'x'.repeat(5_000), 1],
  ] as const)('with "%s" depends on the length', async (enhance, text, times) => {
    const made = generation({ request: { prompt: text, enhance } });
    await made.run();
    expect(made.enhancements).toHaveLength(times);
  });

  it('is paid once, however often the job is begun anew', async () => {
    const made = generation({
      request: { prompt, enhance: 'always' },
      answers: [failureOf('refused'), failureOf('refused'), 'picture'],
    });
    for (let runs = 0; runs < 3; runs++) await made.run();
    expect(made.job().status).toBe('succeeded');
    expect(made.enhancements).toHaveLength(1);
    expect(new Set(made.calls.map((call) => call.prompt))).toEqual(new Set(['A fox, in detail']));
  });

  it.each([
    ['refused', 'rejected'],
    ['uncertain', 'uncertain'],
    ['unusable', 'unusable'],
  ] as const)(
    'that is %s lets the original go on, with a warning, and is not tried again',
    async (kind, state) => {
      const made = generation({
        request: { prompt, enhance: 'always' },
        descriptions: [failureOf(kind)],
        answers: [failureOf('refused'), 'picture'],
      });
      await made.run();
      expect(await made.run()).toEqual(done);
      expect(made.enhancements).toHaveLength(1);
      expect(made.calls.map((call) => call.prompt)).toEqual([prompt, prompt]);
      expect(made.job()).toMatchObject({
        status: 'succeeded',
        attempts: [{ kind: 'enhance', state }, {}, {}],
      });
      expect(made.job().warnings).toHaveLength(1);
    },
  );

  it('that a dead worker began is begun again', async () => {
    const made = generation({ request: { prompt, enhance: 'always' } });
    made.set((job) => ({
      ...beginExecution(job, createdAt),
      attempts: [attemptOf({ kind: 'enhance', state: 'calling' })],
    }));
    await made.run();
    expect(made.enhancements).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'succeeded', enhancedPrompt: 'A fox, in detail' });
  });
});
