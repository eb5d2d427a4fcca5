import { describe, expect, it, onTestFinished } from 'vitest';
import type { ImageJob } from '../../src/domain/image-job.ts';
import { erase } from '../../src/domain/job-erasure.ts';
import { finish } from '../../src/domain/job-moves.ts';
import { createResponsesProvider } from '../../src/outbound/providers/openai/images/responses-provider.ts';
import { createdAt, retention } from '../support/jobs.ts';
import { asImage, linkedImage, paidOnce, runLinked, unusableLink } from '../support/linked-job.ts';
import { collector, contextOf, drain, failureOf, openAIProvider } from '../support/provider-calls.ts';
import type { Script } from '../support/scripted-server.ts';

describe('a call whose worker stops while it fetches the link', () => {
  const cutOffBy = async (stopAtFirst: (stop: AbortController) => void, then: Script = asImage) => {
    const stop = new AbortController();
    let fetches = 0;
    const linked = await runLinked((address) => `${address}/1.png?token=secret`, {
      onUncertain: 'fail',
      stop: stop.signal,
      image(response, request, index) {
        fetches += 1;
        if (fetches === 1) stopAtFirst(stop);
        else then(response, request, index);
      },
    });
    return { ...linked, stop };
  };

  it.each(['draining', 'lock_lost'])(
    'is resumed by the next run after %s, which fetches the link and does not pay again',
    async (reason) => {
      const { made, summary, summaryNow } = await cutOffBy((stop) => stop.abort(reason));
      expect(summary).toMatchObject({ status: 'running', code: undefined, calls: 1 });
      expect(made.job().attempts).toMatchObject([{ state: 'calling', handle: expect.any(String) }]);
      await made.run();
      expect(summaryNow()).toMatchObject(paidOnce);
      expect([...made.stored.values()].map((bytes) => bytes.equals(linkedImage))).toEqual([true]);
      expect(made.job()).toMatchObject({ usage: { output_tokens: 196 }, revisedPrompt: 'A cat' });
    },
  );

  it('keeps no link in the record once the image is stored', async () => {
    const { made } = await cutOffBy((stop) => stop.abort('draining'));
    expect(JSON.stringify(made.job())).toContain('token=secret');
    await made.run();
    expect(JSON.stringify(made.job())).not.toContain('token=secret');
  });

  it('ends after one call if the link no longer works for the next run, and keeps no link', async () => {
    const { made, summaryNow } = await cutOffBy(
      (stop) => stop.abort('draining'),
      (response) => response.writeHead(403).end(),
    );
    await made.run();
    expect(summaryNow()).toEqual(unusableLink);
    expect(JSON.stringify(made.job())).not.toContain('token=secret');
  });

  it.each([
    ['is canceled', (job: ImageJob) => finish(job, 'canceled', { nowMs: createdAt, retention })],
    ['is erased', (job: ImageJob) => erase(job, createdAt, retention)],
  ] as const)(
    'leaves neither link nor text in the record of a job that %s before the next run',
    async (_how, end) => {
      const { made } = await cutOffBy((stop) => stop.abort('draining'));
      made.set(end);
      expect(made.job().attempts).toMatchObject([{ state: 'uncertain' }]);
      expect(JSON.stringify(made.job())).not.toMatch(/token=secret|A cat/);
    },
  );

  it('leaves no text in the record of an erased job that ended in an earlier release', async () => {
    const { made } = await cutOffBy((stop) => stop.abort('draining'));
    const attempts = made.job().attempts.map((each) => ({ ...each, state: 'uncertain' }));
    made.set((job) =>
      erase({ ...finish(job, 'canceled', { nowMs: createdAt, retention }), attempts }, createdAt, retention),
    );
    expect(JSON.stringify(made.job())).not.toMatch(/token=secret|A cat/);
  });

  it('has an unknown outcome, but is charged, if the job is canceled', async () => {
    const { made } = await cutOffBy((stop) => stop.abort('canceled'));
    expect(made.job().attempts).toMatchObject([{ state: 'uncertain', charged: true }]);
  });

  it('is resumed by a worker in the other mode of the provider', async () => {
    const { made } = await cutOffBy((stop) => stop.abort('draining'));
    const handle = made.job().attempts[0]?.handle ?? '';
    const responses = createResponsesProvider({
      ...{
        name: 'openai',
        apiKey: 'sk-test-000',
        baseUrl: 'http://127.0.0.1:1/v1',
        hostModelName: 'gpt-5.4-mini',
      },
      fetchLink: async () => linkedImage,
    });
    onTestFinished(responses.close);
    const { sink, decoded } = collector();
    await responses.resume(handle, contextOf(), sink);
    expect((await decoded(responses)).image.bytes.equals(linkedImage)).toBe(true);
  });

  it('has an unknown outcome in this mode if the provider stores its response in another', async () => {
    const provider = openAIProvider('http://127.0.0.1:1/v1');
    expect(await failureOf(provider.resume('resp_1', contextOf(), drain))).toMatchObject({
      kind: 'uncertain',
      billing: 'possible',
    });
  });
});
