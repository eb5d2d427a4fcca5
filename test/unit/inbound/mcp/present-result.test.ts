import { expect, it } from 'vitest';
import { imageJobExample } from '../../../../src/inbound/http/examples.ts';
import type { McpCall } from '../../../../src/inbound/mcp/mcp-call.ts';
import { createPresentResult } from '../../../../src/inbound/mcp/present-result.ts';
import { finishedJob, imageOf, queuedJob } from '../../../support/jobs.ts';

const call = { publicUrl: 'https://images.example.com' } as McpCall;

/** Presents a job whose stored thumbnail has a size. @returns the types of the content. */
async function contentWith(sizeBytes: number): Promise<string[]> {
  const job = finishedJob(queuedJob());
  const present = createPresentResult({
    jobs: {
      presentJob: async () => imageJobExample,
      readImage: {
        open: async () => ({
          sizeBytes,
          body: (async function* () {
            yield Buffer.alloc(sizeBytes);
          })(),
        }),
      } as never,
    },
    thumbnailMaker: { make: async () => null },
    linkSeconds: 60,
  });
  const images = [{ ...imageOf(job), thumbhash: 'hash' }];
  const { content } = await present.job({ ...job, images }, call, { preview: true });
  return content.map(({ type }) => type);
}

it.each([
  [256 * 1024, ['text', 'resource_link', 'image']],
  [256 * 1024 + 1, ['text', 'resource_link']],
])('shows an agent a preview of at most 256 KiB: one of %i bytes leaves %j', async (sizeBytes, types) => {
  expect(await contentWith(sizeBytes)).toEqual(types);
});
