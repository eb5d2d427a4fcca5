import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { generation } from '../../../support/generation.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';
import { failureOf } from '../../../support/scripted-provider.ts';

const done = { done: true };
const prompt = 'A fox';

describe('the expansion of a prompt', () => {
  it('sends the description to the image model and records its cost', async () => {
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
  ] as const)(
    'expands a prompt according to enhance "%s" and the length of the prompt (case %#)',
    async (enhance, text, times) => {
      const made = generation({ request: { prompt: text, enhance } });
      await made.run();
      expect(made.enhancements).toHaveLength(times);
    },
  );

  it('pays for the expansion once, however often the job runs', async () => {
    const made = generation({
      request: { prompt, enhance: 'always' },
      responses: [failureOf('refused'), failureOf('refused'), 'image'],
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
    ['damaged', 'unusable'],
  ] as const)(
    'continues with the original prompt and a warning after a %s failure, without another try',
    async (kind, state) => {
      const made = generation({
        request: { prompt, enhance: 'always' },
        descriptions: [failureOf(kind)],
        responses: [failureOf('refused'), 'image'],
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

  it.each([
    ['retry', ['uncertain', 'stored', 'stored'], 'A fox, in detail'],
    ['fail', ['uncertain', 'stored'], prompt],
  ] as const)(
    'repeats a call of a dead worker only with consent (%s), and closes its row',
    async (onUncertain, states, text) => {
      const made = generation({ request: { prompt, enhance: 'always' }, onUncertain });
      made.set((job) => ({
        ...beginRun(job, createdAt),
        attempts: [attemptOf({ kind: 'enhance', state: 'calling' })],
      }));
      await made.run();
      expect(made.calls.map((call) => call.prompt)).toEqual([text]);
      expect(made.job().status).toBe('succeeded');
      expect(made.job().attempts.map(({ state }) => state)).toEqual(states);
      expect(made.job().attempts[0]).toMatchObject({ kind: 'enhance', error: 'worker_lost' });
      expect(made.job().warnings ?? []).toHaveLength(onUncertain === 'fail' ? 1 : 0);
    },
  );

  it('repeats a call that a shutdown cut off, without a warning', async () => {
    const deploy = new AbortController();
    const made = generation({
      request: { prompt, enhance: 'always' },
      descriptions: [
        async () => {
          deploy.abort('draining');
          return failureOf('uncertain', 'provider_outcome_unknown');
        },
      ],
    });
    expect(await made.run(deploy.signal)).toEqual({ againInMs: 0, isInterrupted: true });
    expect(await made.run()).toEqual(done);
    expect(made.calls.map((call) => call.prompt)).toEqual(['A fox, in detail']);
    expect(made.job().warnings).toBeUndefined();
  });

  it('records the cost of a charged call that brought no description', async () => {
    const usage = { input_tokens: 400, output_tokens: 200, total_tokens: 600 };
    const made = generation({
      request: { prompt, enhance: 'always' },
      descriptions: [
        failureOf('unusable', 'provider_unusable_answer', { billing: 'charged', spent: { usage } }),
      ],
    });
    await made.run();
    expect(made.job().attempts[0]).toMatchObject({ state: 'unusable', charged: true, costMicroUsd: 1_200 });
  });

  it('continues with the original prompt if the description exceeds the limit of the image model', async () => {
    const made = generation({
      request: { prompt, enhance: 'always' },
      descriptions: ['x'.repeat(32_000)],
    });
    made.set((job) => ({ ...job, promptTemplate: ['In oil: ', '.'] }));
    await made.run();
    expect(made.calls.map((call) => call.prompt)).toEqual(['In oil: A fox.']);
    expect(made.job().warnings).toHaveLength(1);
  });
});

describe('the template of a preset', () => {
  it('applies the template of a preset to the prompt or its description, and removes it when the job ends', async () => {
    for (const [enhance, text] of [
      ['off', 'In oil: A fox.'],
      ['always', 'In oil: A fox, in detail.'],
    ] as const) {
      const made = generation({ request: { prompt, enhance } });
      made.set((job) => ({ ...job, promptTemplate: ['In oil: ', '.'] }));
      await made.run();
      expect(made.calls.map((call) => call.prompt)).toEqual([text]);
      expect(made.job()).toMatchObject({ status: 'succeeded' });
      expect(made.job().promptTemplate).toBeUndefined();
    }
  });
});
