import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { noiseImage } from '../support/images.ts';
import { generationBytes } from '../support/openai-requests.ts';
import { openRaw } from '../support/raw-http.ts';
import { startServiceIn, type TestService } from '../support/service.ts';
import { createEnvironment, testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  const environment = await createEnvironment({ SHUTDOWN_GRACE_S: '60' });
  service = await startServiceIn(environment);
  return environment.remove;
});

const authorized = `host: x\r\nauthorization: Bearer ${testKeys.acme}\r\n`;
const incoming = () => readdir(join(service.dataDir, 'incoming'));

/** Opens a connection whose first response waits, so that the responses to all later requests wait behind it. */
async function busyConnection() {
  const { id } = await service.acme.submit({ prompt: 'First [studio:latency=60000]' });
  const { socket } = await openRaw(Number(new URL(service.url).port));
  socket.write(`GET /images/${id}?wait=50 HTTP/1.1\r\n${authorized}\r\n`);
  return socket;
}

describe('a connection that ends while a response waits behind an earlier one', () => {
  it('leaves no received file behind', async () => {
    const png = await noiseImage(320, 200);
    const socket = await busyConnection();
    socket.write(`POST /uploads HTTP/1.1\r\n${authorized}content-length: ${png.length}\r\n`);
    socket.write('content-type: image/png\r\n\r\n');
    socket.write(png);
    const uploads = async () => (await service.acme.get('/uploads').expect(200)).body.data;
    await expect.poll(uploads, { timeout: 20_000 }).toHaveLength(1);
    socket.destroy();
    await expect.poll(incoming, { timeout: 10_000 }).toEqual([]);
  });

  it('ends the wait for its images, so that the process stops at once', async () => {
    const socket = await busyConnection();
    socket.write(generationBytes({ prompt: 'Second', n: 8 }));
    const second = async () => (await service.acme.get('/images?status=succeeded').expect(200)).body.data;
    await expect.poll(second, { timeout: 20_000 }).toMatchObject([{ request: { prompt: 'Second' } }]);
    socket.destroy();
    const { body } = await service.acme.get('/images?status=running').expect(200);
    for (const { id } of body.data) await service.acme.post(`/images/${id}/cancel`).expect(200);
    const startedAt = performance.now();
    await service.close();
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
