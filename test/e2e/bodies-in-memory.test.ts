import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ ROLES: 'api' });
});
afterAll(() => service.close());

type Length = Readonly<Record<string, string | number>>;
const stated = { 'content-length': 32 * 1024 * 1024 };
const unstated = { 'transfer-encoding': 'chunked' };

/** Begins a JSON body and leaves the connection open. */
function begin(tenant: keyof typeof testKeys, length: Length) {
  const upload = request(`${service.url}/images`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKeys[tenant]}`, 'content-type': 'application/json', ...length },
  });
  upload.on('error', () => undefined);
  onTestFinished(() => void upload.destroy());
  upload.write('{"prompt":"A fox');
  return { upload, response: once(upload, 'response').then(([message]) => message as IncomingMessage) };
}

/** Begins several bodies. @returns the uploads, and the responses so far. */
function beginMany(tenant: keyof typeof testKeys, count: number, length: Length) {
  const refused: IncomingMessage[] = [];
  const uploads = Array.from({ length: count }, () => {
    const { upload, response } = begin(tenant, length);
    response.then((message) => refused.push(message)).catch(() => undefined);
    return upload;
  });
  return { uploads, refused };
}

it.each([
  ['of a stated length', stated],
  ['without a stated length', unstated],
])(
  'large JSON bodies %s take at most half of the memory for one tenant, and what is left for another one',
  async (...given) => {
    const [, length] = given;
    const acme = beginMany('acme', 6, length);
    await eventually(() => expect(acme.refused).toHaveLength(3));
    for (const { statusCode, headers } of acme.refused)
      expect({ statusCode, retryAfter: headers['retry-after'] }).toEqual({
        statusCode: 429,
        retryAfter: '1',
      });
    const other = beginMany('other', 4, length);
    await eventually(() => expect(other.refused).toHaveLength(2));
    const [problem] = await Promise.all(other.refused.map((message) => json(message)));
    expect(problem).toMatchObject({
      code: 'too_many_requests',
      detail: expect.stringContaining('multipart/form-data'),
    });
    const small = begin('acme', { 'content-length': 18 });
    small.upload.end('"}');
    expect((await small.response).statusCode).toBe(202);

    for (const upload of [...acme.uploads, ...other.uploads]) upload.destroy();
    await eventually(async () => {
      const { upload, response } = begin('acme', unstated);
      upload.end('"}');
      expect((await response).statusCode).toBe(202);
    });
  },
);
