import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { ids } from '../../src/lib/ids.ts';
import { type ManagedKeys, manageKeysOf, type NewKey } from '../support/managed-keys.ts';
import { type Operation, readApiDocument } from '../support/openapi-document.ts';
import { startService, type TestService } from '../support/service.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

/** Every operation of openapi.yaml, called with every kind of key and for resources of every kind of owner. */

const secured = readApiDocument().operations.filter((operation) => operation.secured);
const isForOperator = ({ path }: Operation) => /^\/(tenants|admin)\//.test(path);
const titled = (operations: readonly Operation[]) =>
  operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const);

let service: TestService;
let keys: ManagedKeys;
/** Key of a tenant's administrator, who owns the resources. */
let owner: NewKey;
let resources: Readonly<Record<string, string>>;

interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Minimal valid bodies. */
const bodies: Readonly<Record<string, object>> = {
  submitJob: { prompt: 'A fox' },
  enhancePrompt: { prompt: 'A fox' },
  createOpenAiImage: { prompt: 'A fox' },
  createWebhookEndpoint: { url: 'https://example.com/hook' },
  changeWebhookEndpoint: { description: 'mine now' },
  recoverWebhookEndpoint: { since: '2026-01-01T00:00:00Z' },
  changeKey: { name: 'mine now' },
  overrideKeyBudget: { amount_micro_usd: 1, until: new Date(Date.now() + 3_600_000).toISOString() },
  settleJob: { micro_usd: 0 },
};
/** Requests that are files or need one. Their bodies are checked by other tests. */
const withFiles = ['createUpload', 'createOpenAiFile', 'createOpenAiImageEdit'];
/** Operations that submit work which costs money. */
const paid = ['submitJob', 'enhancePrompt', 'createOpenAiImage', 'retryJob', 'varyJob'];

/** Kind of the resource in a path, by the start of the path. */
const kinds = [
  '/images/',
  '/uploads/',
  '/v1/files/',
  '/webhooks/endpoints/',
  '/webhooks/deliveries/',
  '/keys/',
];
const kindOf = ({ path }: Operation) =>
  path.includes('{id}') ? kinds.find((kind) => path.startsWith(kind)) : undefined;

const unknownIds: Readonly<Record<string, () => string>> = {
  '/images/': () => ids.job(Date.now()),
  '/uploads/': () => ids.upload(Date.now()),
  '/v1/files/': () => ids.upload(Date.now()),
  '/webhooks/endpoints/': () => ids.endpoint(Date.now()),
  '/webhooks/deliveries/': () => ids.delivery(Date.now(), 'evt_1', 'whk_1'),
  '/keys/': () => 'key_000000000000',
};

/** Calls an operation. The response of an event stream ends with its headers. */
function call(operation: Operation, { key, id = 'none' }: { key?: string; id?: string }): Promise<Response> {
  const path = operation.path.replace('{id}', id).replace('{index}', '0').replace('{name}', 'owner');
  const body = bodies[operation.id];
  return new Promise((resolve, reject) => {
    const headers = {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const sent = httpRequest(`${service.url}${path}`, { method: operation.method, headers }, (response) => {
      let text = '';
      const end = () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', end).on('error', reject);
      if (response.headers['content-type']?.startsWith('text/event-stream')) {
        end();
        response.destroy();
      }
    });
    sent.on('error', reject).end(body ? JSON.stringify(body) : undefined);
  });
}

/** Returns a response without what differs between two requests: id, request id and time. */
function comparable({ status, headers, text }: Response, id: string) {
  const { date: _date, 'x-request-id': requestId, ...rest } = headers;
  const hide = (part: string) => part.replaceAll(id, '(id)').replaceAll(`${requestId}`, '(request)');
  return { status, headers: JSON.parse(hide(JSON.stringify(rest))), body: hide(text) };
}

const codeOf = ({ status, text }: Response): [number, unknown] => [status, text && JSON.parse(text).code];

beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  keys = manageKeysOf(service.url);
  owner = await keys.create({ tenant: 'owner', scopes: ['admin'] });
  const caller = keys.callerOf(owner);
  const { id: job } = await caller.generate({ prompt: 'A fox' });
  const image = await caller.image(job);
  const upload = await caller.post('/uploads').attach('file', image, 'fox.png').expect(201);
  const server = await startEndpointServer();
  const url = `http://127.0.0.1:${server.port}/`;
  const endpoint = await caller.post('/webhooks/endpoints').send({ url }).expect(201);
  const delivery = await caller.post(`/webhooks/endpoints/${endpoint.body.id}/test`).expect(200);
  resources = {
    '/images/': job,
    '/uploads/': upload.body.id,
    '/v1/files/': upload.body.id,
    '/webhooks/endpoints/': endpoint.body.id,
    '/webhooks/deliveries/': delivery.body.id,
    '/keys/': (await keys.create({ tenant: 'owner' })).id,
  };
  return async () => {
    await server.close();
    await service.close();
  };
});

describe('a request without a valid key', () => {
  it('is the same 401 on every route for no key, a revoked, an expired, a disabled and an unknown one', async () => {
    const invalid: Record<string, NewKey> = {
      revoked: await keys.create({ tenant: 'owner', scopes: ['admin'] }),
      disabled: await keys.create({ tenant: 'owner', scopes: ['admin'], disabled: true }),
      expired: await keys.create({
        ...{ tenant: 'owner', scopes: ['admin'] },
        expires_at: new Date(Date.now() + 400).toISOString(),
      }),
    };
    await keys.operator.delete(`/keys/${invalid.revoked?.id}`).expect(204);
    for (const each of Object.values(invalid)) {
      await expect.poll(async () => (await keys.callerOf(each).get('/models')).status).toBe(401);
    }
    const texts = Object.values(invalid).map(({ key }) => key);
    const unknown = `${owner.key.slice(0, 30)}${'0'.repeat(36)}`;
    for (const operation of secured) {
      const id = resources[kindOf(operation) ?? ''] ?? 'none';
      const without = await call(operation, { id });
      expect(codeOf(without), operation.id).toEqual([401, 'unauthorized']);
      const refusals = [];
      for (const key of [...texts, unknown])
        refusals.push(comparable(await call(operation, { key, id }), id));
      expect(new Set(refusals.map((each) => JSON.stringify(each))).size, operation.id).toBe(1);
      expect(refusals[0]?.status, operation.id).toBe(401);
    }
  });
});

describe('a key that is too weak', () => {
  it('is 403 on every route whose scope it lacks, and on every route if its tenant is suspended', async () => {
    const weak = {
      webhooks: await keys.create({ tenant: 'owner', scopes: ['webhooks'] }),
      read: await keys.create({ tenant: 'owner', scopes: ['images:read'] }),
    };
    const suspended = await keys.create({ tenant: 'suspended', scopes: ['admin'] });
    await keys.operator.patch('/tenants/suspended').send({ suspended: true }).expect(200);
    await expect.poll(async () => (await keys.callerOf(suspended).get('/models')).status).toBe(403);
    for (const operation of secured) {
      const { key } = operation.scope === 'webhooks' ? weak.read : weak.webhooks;
      const id = resources[kindOf(operation) ?? ''] ?? 'none';
      if (operation.scope !== undefined) {
        expect(codeOf(await call(operation, { key, id })), operation.id).toEqual([403, 'insufficient_scope']);
      }
      const refused = await call(operation, { key: suspended.key, id });
      expect(codeOf(refused), operation.id).toEqual([403, 'tenant_suspended']);
    }
  });

  it("is 403 on the operator's routes even with the scope admin", async () => {
    for (const operation of secured.filter(isForOperator)) {
      const refused = await call(operation, { key: owner.key });
      expect(codeOf(refused), operation.id).toEqual([403, 'insufficient_scope']);
    }
  });
});

describe('a resource of another tenant', () => {
  const withResource = secured.filter((operation) => kindOf(operation) !== undefined);

  it.each(titled(withResource))('is the same 404 as an unknown one: %s', async (_, operation) => {
    const stranger = await keys.create({ tenant: 'stranger', scopes: ['admin'] });
    const kind = kindOf(operation) ?? '';
    const unknown = unknownIds[kind]?.() ?? '';
    const expected = comparable(await call(operation, { key: stranger.key, id: unknown }), unknown);
    const theirs = resources[kind] ?? '';
    expect(expected.status).toBe(404);
    expect(comparable(await call(operation, { key: stranger.key, id: theirs }), theirs)).toEqual(expected);
  });

  it('appears in no list of another tenant', async () => {
    const stranger = await keys.create({ tenant: 'nosy', scopes: ['admin'] });
    const lists = secured.filter(
      (operation) =>
        operation.method === 'GET' &&
        !operation.path.includes('{') &&
        operation.path !== '/events' &&
        !isForOperator(operation),
    );
    for (const operation of lists) {
      const { text, status } = await call(operation, { key: stranger.key });
      expect(status, operation.id).toBe(200);
      for (const id of Object.values(resources)) expect(text, operation.id).not.toContain(id);
    }
  });
});

describe('a key whose budget is used up', () => {
  it('is 402 on every route that submits paid work, and works on every other route', async () => {
    const capped = await keys.create({
      ...{ tenant: 'owner', scopes: ['images:read', 'images:write', 'webhooks'] },
      budgets: [{ window: 'total', limit_micro_usd: 0 }],
    });
    const failed = await keys.callerOf(owner).generate({ prompt: 'No [studio:bad-request]' });
    const operations = secured.filter(
      ({ id, scope, method }) => scope !== 'admin' && method !== 'DELETE' && !withFiles.includes(id),
    );
    for (const operation of operations) {
      const id = operation.id === 'retryJob' ? failed.id : resources[kindOf(operation) ?? ''];
      const response = await call(operation, { key: capped.key, ...(id === undefined ? {} : { id }) });
      if (!paid.includes(operation.id)) expect([401, 402, 403, 429]).not.toContain(response.status);
      else expect(codeOf(response), operation.id).toEqual([402, 'budget_exceeded']);
      expect(Object.keys(operation.responses), operation.id).toContain(String(response.status));
    }
  });
});

describe('the owner of a resource', () => {
  it('is refused on no route of its tenant', async () => {
    const last = (operation: Operation) => (operation.method === 'DELETE' ? 1 : 0);
    const operations = secured
      .filter((operation) => !isForOperator(operation) && !withFiles.includes(operation.id))
      .toSorted((a, b) => last(a) - last(b));
    for (const operation of operations) {
      const id = operation.id === 'getOpenAiModel' ? 'gpt-image-2' : resources[kindOf(operation) ?? ''];
      const { status, text } = await call(operation, { key: owner.key, ...(id === undefined ? {} : { id }) });
      // Both routes delete the same upload.
      if (operation.id === 'deleteOpenAiFile') continue;
      expect([200, 201, 202, 204, 302, 409], `${operation.id}: ${status} ${text}`).toContain(status);
    }
  });
});
