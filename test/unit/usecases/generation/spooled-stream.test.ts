import { describe, expect, it } from 'vitest';
import { beginRun } from '../../../../src/domain/job-moves.ts';
import { decodeOpenAIResponse } from '../../../../src/outbound/providers/openai/images/decode-openai-response.ts';
import { completedEvent, partialEvent } from '../../../support/event-streams.ts';
import { generation } from '../../../support/generation.ts';
import { noiseImage } from '../../../support/images.ts';
import { attemptOf, createdAt } from '../../../support/jobs.ts';

describe('a spooled stream of events', () => {
  it.each(['run', 'recovery'] as const)(
    'is decoded to its final image in a %s after the crash of its worker, without a second call',
    async (finisher) => {
      const [preview, image] = await Promise.all([noiseImage(32, 32), noiseImage(64, 64)]);
      const made = generation({
        provider: 'openai',
        request: { partial_images: 1 },
        decoders: { openai: decodeOpenAIResponse },
      });
      made.set((job) => ({
        ...beginRun(job, createdAt),
        attempts: [attemptOf({ state: 'received', provider: 'openai', receivedAt: createdAt })],
      }));
      made.spoolBody(1, partialEvent(0, preview) + completedEvent(image), 'openai');
      if (finisher === 'run') await made.run();
      else {
        // The job has no lease any more, because the run that paid is gone.
        made.set(({ leaseStartedAt: _leaseStartedAt, ...job }) => job);
        await made.recoverSpooledResponses(new AbortController().signal);
      }
      expect(made.calls).toHaveLength(0);
      expect([...made.stored.values()].map((bytes) => image.equals(bytes))).toEqual([true]);
      expect(made.job()).toMatchObject({
        status: 'succeeded',
        attempts: [{ state: 'stored' }],
        usage: { output_tokens: 396 },
      });
    },
  );
});
