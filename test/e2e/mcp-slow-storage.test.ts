import { beforeAll, expect, it } from 'vitest';
import { storageIn } from '../support/bucket.ts';
import { connectMcp } from '../support/mcp-client.ts';
import { startTestS3, type TestS3 } from '../support/s3-server.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

/** Tools whose results have a preview, while the storage does not respond to reads. */

let s3: TestS3;
let service: TestService;
beforeAll(async () => {
  s3 = await startTestS3();
  service = await startService(storageIn(s3));
  return async () => {
    await service.close();
    await s3.stop();
  };
});

it('return their jobs without previews within seconds, also to several tenants at once', async () => {
  const jobs = [
    await service.acme.generate({ prompt: 'A fox' }),
    await service.other.generate({ prompt: 'A cat' }),
  ];
  const clients = [await connectMcp(service), await connectMcp(service, { key: testKeys.other })];
  s3.intercept(({ method }) => method === 'GET');
  const startedAt = performance.now();
  const results = await Promise.all(
    [0, 0, 0, 1].map((who) =>
      clients[who]?.callTool({ name: 'get_image', arguments: { id: jobs[who]?.id } }),
    ),
  );
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  for (const result of results) {
    expect(result?.content).toMatchObject([{ type: 'text' }, { type: 'resource_link' }]);
  }
});
