import { beforeAll, expect, it, vi } from 'vitest';
import { openRaw, type RawResponse, sendRaw } from '../support/raw-http.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
let port: number;
beforeAll(async () => {
  service = await startService();
  port = Number(new URL(service.url).port);
  return service.close;
});

const chunks = '10\r\n{"prompt":"fox"}\r\n0\r\n\r\n';
const post = (version: string, coding: string) =>
  `POST /images?dry_run=true HTTP/${version}\r\nhost: 127.0.0.1\r\nconnection: keep-alive\r\nauthorization: Bearer ${testKeys.acme}\r\ncontent-type: application/json\r\ntransfer-encoding: ${coding}\r\n\r\n${chunks}`;

it.each([
  ['1.0', 'chunked'],
  ['1.1', 'gzip, chunked'],
])(
  'a body whose end another server may not see ends the connection, so that nothing after it is a request: HTTP/%s, %s',
  async (version, coding) => {
    const connection = await openRaw(port);
    connection.socket.once('end', () => connection.socket.end());
    connection.socket.write(`${post(version, coding)}GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`);
    const statuses = () =>
      connection
        .received()
        .toString()
        .match(/HTTP\/1\.1 [0-9]{3}/g);
    const second = vi.waitFor(() => expect(statuses()).toHaveLength(2), { timeout: 15_000 });
    await Promise.race([connection.gone, second.catch(() => {})]);
    expect(statuses()).toEqual(['HTTP/1.1 400']);
    expect(connection.received().toString()).toMatch(/"code":"invalid_request"/);
  },
);

it.each(['chunked', 'Chunked'])('a body in chunks is read: %s', async (coding) => {
  const response = (await sendRaw(port, Buffer.from(post('1.1', coding)), {
    timeoutMs: 20_000,
  })) as RawResponse;
  expect(response.status).toBe(200);
});
