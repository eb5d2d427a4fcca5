import { expect, it } from 'vitest';
import { completedEvent, partialEvent } from '../support/event-streams.ts';
import { generation } from '../support/generation.ts';
import { noiseImage } from '../support/images.ts';
import { openAIProvider } from '../support/provider-calls.ts';
import { serve } from '../support/scripted-server.ts';

it('stores the image, and no preview whose number no link can name, if a server sends many', async () => {
  const image = await noiseImage(64, 64);
  const numbers = [-1, 0, 2, ...Array.from({ length: 40 }, (_, at) => 3 + at)];
  const previews = numbers.map((no) => partialEvent(no, image)).join('');
  const server = await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(previews + completedEvent(image));
  });
  const request = { model: 'gpt-image-2.6-flare', partial_images: 2 };
  const made = generation({ request, realProvider: openAIProvider(server.url) });
  await made.run();
  expect(made.job().status).toBe('succeeded');
  expect(made.job().previews?.map(({ partial }) => partial)).toEqual([0, 2]);
  expect(made.puts).toHaveLength(3);
});
