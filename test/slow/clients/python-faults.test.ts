import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sha256 } from '../../support/images.ts';
import { hasPython, pythonKinds, runPython } from '../../support/python-client.ts';
import { usePython } from '../../support/python-service.ts';
import { serve } from '../../support/scripted-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = usePython();

/** Starts a server that refuses every request after its head, and resets the connection of a long body. */
async function startRefusingServer(): Promise<{ url: string; requests(): number }> {
  const body = JSON.stringify({ type: '', title: '', detail: 'Too big', code: 'payload_too_large' });
  const head = `HTTP/1.1 413 X\r\nconnection: close\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\n\r\n`;
  let requests = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      requests += 1;
      socket.pause();
      socket.write(head + body, () => socket.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

describe.skipIf(!hasPython)('the Python client', () => {
  it.each(pythonKinds)(
    'reads the refusal of a body that the service does not read to its end (%s)',
    async (kind) => {
      const server = await startRefusingServer();
      const image = { base64: Buffer.alloc(8_000_000).toString('base64') };
      const { error } = await python.verbs.run(kind, ['edit', 'A scarf'], {
        url: server.url,
        options: { images: image },
      });
      expect(error).toMatchObject({ class: 'PayloadTooLarge', attempts: 1 });
      expect(server.requests()).toBe(1);
    },
  );

  it.each(pythonKinds)(
    'gives up a wait if something else than the service responds to it (%s)',
    async (kind) => {
      const { url } = await serve((response, { path }) => {
        response
          .writeHead(path.endsWith('/events') ? 502 : 200, { 'content-type': 'text/html' })
          .end('<h1>Proxy</h1>');
      });
      const { error } = await python.verbs.run(kind, ['wait', 'img_1'], { url });
      expect(error).toMatchObject({ class: 'ConnectionFailed', job_id: 'img_1' });
    },
  );

  it('downloads an image by several tasks to the same path, which then contains the image', async () => {
    const { result: job } = await python.verbs.run('sync', ['generate', 'A fox for several tasks'], {
      url: python.service.url,
    });
    const file = join(await temporaryFolder(), 'fox.png');
    const program = `
import asyncio, sys
from darkroom import AsyncDarkroom

async def main():
    client = AsyncDarkroom()
    job = await client.get("${job.id}")
    await asyncio.gather(*(client.download(job, ${JSON.stringify(file)}) for _ in range(8)))

asyncio.run(main())`;
    await runPython(['-c', program], { url: python.service.url });
    expect(sha256(await readFile(file))).toBe(job.images[0]?.sha256);
  });

  it.each(pythonKinds)(
    'follows a job behind a proxy that passes no streams and cuts responses after 30 s (%s)',
    async (kind) => {
      const image = { index: 0, content_url: '/images/img_1/content/0' };
      const { url, seen } = await serve((response, { path }) => {
        const wait = new URL(path, 'http://proxy').searchParams.get('wait');
        const isCut = wait === null || Number(wait) >= 29;
        const ended = JSON.stringify({ id: 'img_1', status: 'succeeded', images: [image] });
        response.writeHead(isCut ? 504 : 200).end(isCut ? 'Gateway timeout' : ended);
      });
      const { result } = await python.verbs.run(kind, ['wait', 'img_1'], { url });
      expect(result).toMatchObject({ status: 'succeeded' });
      expect(seen.at(-1)?.path).toContain('wait=25');
    },
  );

  it.each(pythonKinds)(
    'a damaged response raises an error that names the key of the request (%s)',
    async (kind) => {
      const heads = [
        'HTTP/1.1 503 Busy\r\nretry-after: \xb2\r\n\r\n',
        'HTTP/1.1 502 Bad\r\ncontent-length: abc\r\n\r\n',
        'HTTP/1.1 202 Accepted\r\n\r\n{"id":"img_1","images":null}',
        'HTTP/1.1 422 Refused\r\n\r\n{"code":"validation_failed","errors":5}',
      ];
      for (const head of heads) {
        const { url } = await serve((response) => void response.socket?.end(head, 'latin1'));
        const program = `
import asyncio, darkroom

async def main():
    policy = darkroom.Policy(max_attempts=1)
    if "${kind}" == "async":
        await darkroom.AsyncDarkroom(policy=policy).generate("A fox", wait=False)
    else:
        darkroom.Darkroom(policy=policy).generate("A fox", wait=False)

try:
    asyncio.run(main())
except darkroom.DarkroomError as error:
    assert error.idempotency_key
else:
    raise AssertionError`;
        await runPython(['-c', program], { url });
      }
    },
  );

  it('closes the connection of a failed attempt before the next one (asyncio)', async () => {
    const { url, seen } = await serve((response, _request, index) => {
      if (index < 3) return;
      void Promise.all(seen.slice(0, index).map(({ closed }) => closed)).then(() =>
        response.end(JSON.stringify({ id: 'img_1', status: 'queued', images: [] })),
      );
    });
    const program = `
import asyncio
from darkroom import AsyncDarkroom, Policy

policy = Policy(max_attempts=4, first_delay_s=0.05, read_timeout_s=1)
print(asyncio.run(AsyncDarkroom(policy=policy).get("img_1")).id)`;
    await runPython(['-c', program], { url });
    expect(seen).toHaveLength(4);
  });

  it('passes its exceptions between processes with all their facts', async () => {
    const program = `
import pickle
from darkroom import BudgetExceeded, Darkroom, ServiceError, ValidationFailed

try:
    Darkroom().generate("", n=-1, idempotency_key="of-a-process")
except ServiceError as error:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ValidationFailed, type(again)
    assert str(again) == str(error) and again.issues == error.issues and again.issues
    assert again.idempotency_key == "of-a-process" and again.status == 422`;
    await runPython(['-c', program], { url: python.service.url });
  });

  it('pauses for a known time after any number of failures', async () => {
    const program = `
from darkroom import Policy

assert 4 <= Policy().delay(5_000) <= 8`;
    await runPython(['-c', program], { url: python.service.url });
  });

  it('refuses an empty secret of a webhook, and headers that are no UTF-8', async () => {
    const program = `
import time
from darkroom import WebhookVerificationError, verify_webhook

headers = {"webhook-id": "\\udc80", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,\\udc80"}
for secret, expected in (("whsec_", ValueError), ("whsec_c2VjcmV0", WebhookVerificationError)):
    try:
        verify_webhook(secret, headers, "{}")
    except expected as error:
        assert not isinstance(error, UnicodeError), error
    else:
        raise AssertionError(secret)`;
    await runPython(['-c', program], { url: python.service.url });
  });
});
