import { expect, it } from 'vitest';
import type { AttemptCall, AttemptedCall } from '../../../../src/usecases/generation/attempt-call.ts';
import { createCallProvider } from '../../../../src/usecases/generation/call-provider.ts';
import type { EarlyUpload } from '../../../../src/usecases/generation/early-upload.ts';
import type { JobRun } from '../../../../src/usecases/generation/job-run.ts';
import { builtInCatalogue } from '../../../support/catalogue.ts';
import { queuedJob } from '../../../support/jobs.ts';
import { memoryStorage, oneChunk } from '../../../support/memory-ports.ts';
import { scriptedProvider } from '../../../support/scripted-provider.ts';

it('the row of a durable response is written before the call waits for its previews', async () => {
  const steps: string[] = [];
  const make = async <Result>(
    _run: JobRun,
    call: Omit<AttemptedCall<Result>, 'send'> & { send(context: never, no: number): Promise<Result> },
  ) => {
    const result = await call.send({} as never, 1);
    await call.record(1, result);
    return { no: 1, result };
  };
  const { call } = createCallProvider({
    provider: scriptedProvider('studio', []).provider,
    attemptCall: { make } as unknown as AttemptCall,
    spoolResponse: () => ({
      async sink(_head, body) {
        for await (const _ of body ?? oneChunk(Buffer.alloc(0)));
        steps.push('durable');
      },
      enter: async () => void steps.push('row'),
    }),
    storePreviews: () => ({ store: async () => {}, settled: async () => void steps.push('previews') }),
    storage: memoryStorage(0).storage,
    catalogue: builtInCatalogue(),
  });
  await call({ job: queuedJob() } as JobRun, 0, { prompt: 'A fox', earlyUpload: {} as EarlyUpload });
  expect(steps).toEqual(['durable', 'row', 'previews']);
});
