import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { plainImage } from '../support/edit-inputs.ts';
import { manageKeysOf } from '../support/managed-keys.ts';
import { modernRequester } from '../support/mcp-requests.ts';
import { openRaw, readResponse } from '../support/raw-http.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const start = '--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nSlow';
const end = ' fox\r\n--b--\r\n';

/** Sends a form in two halves, with work and more than a second between them. */
async function sendSlowly(key: string, between: () => Promise<unknown>) {
  const { socket, received } = await openRaw(Number(new URL(service.url).port));
  socket.write(`POST /images HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n`);
  socket.write(`content-length: ${start.length + end.length}\r\n`);
  socket.write(`content-type: multipart/form-data; boundary=b\r\n\r\n${start}`);
  await between();
  // A change takes effect within a second after the response to it, however long that response took.
  const changedAt = performance.now();
  await expect.poll(() => performance.now() - changedAt, { timeout: 5_000 }).toBeGreaterThan(1_500);
  socket.write(end);
  const response = () => readResponse(received(), { ended: false, isHead: false });
  await expect.poll(() => response()?.complete, { timeout: 10_000 }).toBe(true);
  socket.destroy();
  return { status: response()?.status, body: JSON.parse(`${response()?.body}`) };
}

describe('a change of a key while a body of its caller arrives', () => {
  it('that revokes the key refuses the request', async () => {
    const keys = manageKeysOf(service.url);
    const { id, key } = await keys.create({ tenant: 'acme' });
    const revoke = () => keys.operator.delete(`/keys/${id}`).expect(204);
    expect(await sendSlowly(key, revoke)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  it('that limits the key applies to the request', async () => {
    const keys = manageKeysOf(service.url);
    const { id, key } = await keys.create({ tenant: 'acme' });
    const limit = () =>
      keys.operator
        .patch(`/keys/${id}`)
        .send({ budgets: [{ window: 'day', limit_micro_usd: 1 }] })
        .expect(200);
    expect(await sendSlowly(key, limit)).toMatchObject({ status: 402, body: { code: 'budget_exceeded' } });
  });

  it('that changes nothing lets the request pass', async () => {
    const { key } = await manageKeysOf(service.url).create({ tenant: 'acme' });
    expect(await sendSlowly(key, async () => {})).toMatchObject({ status: 202 });
  });
});

describe('a key that is revoked while the images of a request are checked', () => {
  /** Revokes a key as soon as the images of its request are on the disk. */
  async function revokeDuring(send: (key: string, png: Buffer) => Promise<{ readonly status: number }>) {
    const keys = manageKeysOf(service.url);
    const { id, key } = await keys.create({ tenant: 'acme' });
    const response = send(key, await plainImage(3400, 3400, { r: 1, g: 2, b: 3 }));
    const incoming = () => readdir(join(service.dataDir, 'incoming'));
    await expect.poll(incoming, { interval: 5, timeout: 20_000 }).toHaveLength(16);
    await keys.operator.delete(`/keys/${id}`).expect(204);
    return response;
  }

  it.each([
    ['/images', 'images'],
    ['/v1/images/edits', 'image'],
  ])('refuses the request to %s', async (path, field) => {
    const response = await revokeDuring((key, png) => {
      const form = new FormData();
      form.set('prompt', 'Slowly checked');
      for (let no = 0; no < 16; no += 1) form.append(field, new File([new Uint8Array(png)], 'a.png'));
      const headers = { authorization: `Bearer ${key}` };
      return fetch(`${service.url}${path}`, { method: 'POST', headers, body: form });
    });
    expect(response.status).toBe(401);
  });

  it('refuses the call of a tool', async () => {
    const answer = await revokeDuring((key, png) =>
      modernRequester(service, { key })('tools/call', {
        name: 'edit_image',
        arguments: {
          prompt: 'Slowly checked',
          images: Array(16).fill({ data: png.toString('base64') }),
          wait_s: 0,
        },
      }),
    );
    expect(answer).toMatchObject({
      result: { isError: true, structuredContent: { error: { code: 'unauthorized' } } },
    });
  });
});
