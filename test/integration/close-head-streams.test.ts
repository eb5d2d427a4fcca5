import { once } from 'node:events';
import { Readable } from 'node:stream';
import Fastify from 'fastify';
import supertest from 'supertest';
import { expect, it, onTestFinished } from 'vitest';
import { closeHeadStreams } from '../../src/inbound/http/plugins/close-head-streams.ts';

it('closes the stream of a response to HEAD without reading it, and sends its headers', async () => {
  const app = Fastify();
  closeHeadStreams(app);
  let reads = 0;
  const body = new Readable({
    read() {
      reads += 1;
      this.push(reads < 100 ? 'a part of an image' : null);
    },
  });
  const closed = once(body, 'close');
  app.get('/image', (_request, reply) => reply.header('content-length', 1_782).send(body));
  const url = await app.listen({ port: 0 });
  onTestFinished(() => app.close());

  const { headers } = await supertest(url).head('/image').expect(200);
  await closed;
  expect([headers['content-length'], reads]).toEqual(['1782', 0]);
});
