import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brunoRequests, type FileRequest, httpFileRequests } from '../../support/request-files.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

/** Sends the requests in sequence. Returns the status of each by its name. */
async function send(requests: readonly FileRequest[]): Promise<Record<string, number>> {
  const variables = new Map([
    ['url', service.url],
    ['key', testKeys.acme],
  ]);
  const filled = (text: string) =>
    text.replace(/\{\{([\w.]+)\}\}/g, (_match, name: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`the variable ${name} is not set`);
      return value;
    });
  const statuses: Record<string, number> = {};
  for (const { name, method, url, headers, body, idVariable } of requests) {
    const response = await fetch(filled(url), {
      method,
      headers: headers.map(([field, value]): [string, string] => [field, filled(value)]),
      ...(body === undefined ? {} : { body: filled(body) }),
    });
    const text = await response.text();
    statuses[name] = response.status;
    if (response.headers.get('content-type')?.startsWith('application/json') && idVariable) {
      variables.set(idVariable, String(JSON.parse(text).id));
    }
  }
  return statuses;
}

const expected = {
  ...{ estimate: 200, generate: 200, get: 200, download: 200, list: 200, edit: 200, vary: 202 },
  ...{ cancel: expect.toSatisfy((status) => status === 200 || status === 409), erase: 204, models: 200 },
};

describe('request files', () => {
  it('every request of the .http file succeeds against the service', async () => {
    const statuses = await send(httpFileRequests());
    expect(statuses).toEqual({ ...expected, events: 200, self: 200, openai: 200 });
  });

  it('every request of the Bruno collection succeeds against the service', async () => {
    expect(await send(brunoRequests())).toEqual({ ...expected, key: 200 });
  });
});
