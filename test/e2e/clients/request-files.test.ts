import { beforeAll, describe, expect, it } from 'vitest';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { readApiDocument } from '../../support/openapi-document.ts';
import { brunoRequests, httpFileRequests } from '../../support/request-files.ts';
import { sendRequests } from '../../support/send-requests.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

/** Requests whose outcome depends on how far a job is, or on its charge. */
const mayConflict = new Set(['cancel', 'retry', 'settle']);
/** Requests that no collection can contain: their links are signed. */
const signedPaths = ['GET /files/{key}'];

describe('request files', () => {
  it.each([
    ['the .http file', httpFileRequests],
    ['the Bruno collection', brunoRequests],
  ])('every request of %s succeeds against the service', async (_file, read) => {
    const scopes = ['images:read', 'images:write', 'webhooks', 'admin'] as const;
    const { key } = await manageKeysOf(service.url).create({ tenant: 'acme', scopes: [...scopes] });
    const given = { url: service.url, key, adminKey: testKeys.admin };
    const statuses = await sendRequests(read(), given);
    const refused = Object.entries(statuses).filter(
      ([name, status]) => status >= 300 && !(status === 409 && mayConflict.has(name)),
    );
    expect(refused).toEqual([]);
  });

  it('both have the same requests, one for every operation of the API', async () => {
    const requests = httpFileRequests();
    const shown = ({ name, method, url }: { name: string; method: string; url: string }) =>
      `${name} ${method} ${url.replaceAll(/\{\{(\w+?)(Id|\.response\.body[^}]*)\}\}/g, '{{$1}}')}`;
    expect(brunoRequests().map(shown)).toEqual(requests.map(shown));
    const paths = requests.map(
      ({ method, url }) => `${method} ${url.replace('{{url}}', '').replace(/\?.*/, '')}`,
    );
    const missing = readApiDocument()
      .operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
      .filter((operation) => {
        const form = new RegExp(`^${operation.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
        return !paths.some((path) => form.test(path));
      });
    expect(missing).toEqual(signedPaths);
  });
});
