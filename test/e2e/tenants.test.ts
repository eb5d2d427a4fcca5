import supertest, { type Response } from 'supertest';
import { beforeAll, describe, expect, it } from 'vitest';
import { withKeys } from '../../src/compose/tools.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { Scope } from '../../src/domain/api-key.ts';
import { ids } from '../../src/lib/ids.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { commandLineManager } from '../../src/usecases/access/manager.ts';
import { createCaller } from '../support/caller.ts';
import { type Operation, readApiDocument } from '../support/openapi-document.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { startEndpointServer } from '../support/webhook-endpoints.ts';

const { operations } = readApiDocument();
let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  return service.close;
});

/** Bodies of the operations that take an id and require a body. */
const bodies: Readonly<Record<string, object>> = {
  changeWebhookEndpoint: { description: 'mine now' },
  recoverWebhookEndpoint: { since: '2026-01-01T00:00:00Z' },
};

/** Creates a request to an operation, with the id in its path. */
function requestTo({ id: operationId, method, path }: Operation, id: string) {
  const target = path.replace('{id}', id).replace('{index}', '0').replace('{name}', 'acme');
  const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
  return supertest(service.url)[verb](target).send(bodies[operationId]);
}

/** Returns a response without the parts that differ between two requests: resource id, request id and time. */
function comparable(response: Response, id: string) {
  const { date: _date, 'x-request-id': requestId = '', ...headers } = response.headers;
  const hide = (text: string) => text.replaceAll(id, '(id)').replaceAll(requestId, '(request)');
  return {
    status: response.status,
    headers: JSON.parse(hide(JSON.stringify(headers))),
    body: hide(response.text),
  };
}

async function call(operation: Operation, id: string, key: string): Promise<Response> {
  return requestTo(operation, id).set('authorization', `Bearer ${key}`);
}

async function keyWith(scopes: Scope[]): Promise<string> {
  const quiet = createLogger({ level: 'silent', pretty: false });
  const config = loadConfig({ ...service.env }, 'tool');
  const made = await withKeys(config, quiet, (keys) =>
    keys.create(commandLineManager, { tenant: 'acme', name: 'test', scopes }),
  );
  return made.key ?? '';
}

describe('the id of another tenant', () => {
  it('the id of another tenant is the same 404 as an unknown id on every job route', async () => {
    const withId = operations.filter(({ path }) => path.startsWith('/images/{id}'));
    expect(withId.map(({ id }) => id).sort()).toEqual(
      expect.arrayContaining([
        'cancelJob',
        'eraseJob',
        'getJob',
        'getImageContent',
        'retryJob',
        'streamImageEvents',
      ]),
    );
    const succeeded = await service.acme.generate({ prompt: 'Private' });
    const failed = await service.acme.generate({ prompt: 'Private too [studio:bad-request]' });
    const running = await service.acme.submit({ prompt: 'Private as well [studio:hang]' });
    const erased = await service.acme.generate({ prompt: 'Private and gone' });
    await service.acme.delete(`/images/${erased.id}`).expect(204);

    for (const operation of withId) {
      const unknown = ids.job(Date.now());
      const expected = comparable(await call(operation, unknown, testKeys.other), unknown);
      expect(expected.status).toBe(operation.scope === 'admin' ? 403 : 404);
      for (const { id } of [succeeded, failed, running, erased]) {
        const actual = comparable(await call(operation, id, testKeys.other), id);
        expect(actual, `${operation.id} of ${id}`).toEqual(expected);
      }
    }

    expect((await service.acme.job(succeeded.id)).status).toBe('succeeded');
    expect(await service.acme.image(succeeded.id)).not.toHaveLength(0);
    expect((await service.acme.job(running.id)).cancel_requested_at).toBeNull();
    await service.acme.post(`/images/${running.id}/cancel`).expect(200);
  });

  it('a webhook endpoint or delivery of another tenant is the same 404 as an unknown id and stays unchanged', async () => {
    const endpointServer = await startEndpointServer();
    const url = `http://127.0.0.1:${endpointServer.port}/`;
    const { body: endpoint } = await service.acme.post('/webhooks/endpoints').send({ url }).expect(201);
    const { body: delivery } = await service.acme.post(`/webhooks/endpoints/${endpoint.id}/test`).expect(200);
    const resources = [
      { under: '/webhooks/endpoints/{id}', mine: endpoint.id, unknown: ids.endpoint(Date.now()) },
      {
        under: '/webhooks/deliveries/{id}',
        mine: delivery.id,
        unknown: ids.delivery(Date.now(), 'evt_1', 'whk_1'),
      },
    ];
    for (const { under, mine, unknown } of resources) {
      const withId = operations.filter(({ path }) => path.startsWith(under));
      expect(withId.length).toBeGreaterThanOrEqual(2);
      for (const operation of withId) {
        const expected = comparable(await call(operation, unknown, testKeys.other), unknown);
        const actual = comparable(await call(operation, mine, testKeys.other), mine);
        expect([expected.status, actual], operation.id).toEqual([404, expected]);
      }
    }
    for (const query of ['', `?endpoint_id=${endpoint.id}`, '?status=delivered']) {
      const { body } = await service.other.get(`/webhooks/deliveries${query}`).expect(200);
      expect(body.data, query).toEqual([]);
    }
    expect((await service.other.get('/webhooks/endpoints').expect(200)).body.data).toEqual([]);
    const { secret: _secret, ...shown } = endpoint;
    expect((await service.acme.get(`/webhooks/endpoints/${endpoint.id}`).expect(200)).body).toEqual(shown);
    expect(endpointServer.requests).toHaveLength(1);
    await endpointServer.close();
  });

  it('a list never contains a job of another tenant', async () => {
    const job = await service.acme.generate({ prompt: 'Unlisted', metadata: { project: 'secret' } });
    const mine = await service.acme.get('/images?limit=1').expect(200);
    expect(mine.body.data[0].id).toBe(job.id);

    for (const query of [
      '',
      '?status=succeeded',
      '?model=gpt-image-2.6-flare',
      '?metadata[project]=secret',
      `?cursor=${mine.body.next_cursor ?? Buffer.from(job.id).toString('base64url')}`,
    ]) {
      const { body } = await service.other.get(`/images${query}`).expect(200);
      expect(body, query).toEqual({ object: 'list', data: [], has_more: false, next_cursor: null });
    }
  });
});

describe('a caller', () => {
  it('a request without a valid key is 401 on every secured route before any other check', async () => {
    const keyed = operations.filter((operation) => operation.secured);
    expect(keyed.length).toBeGreaterThanOrEqual(10);
    const id = ids.job(Date.now());
    for (const operation of keyed) {
      for (const authorization of [
        undefined,
        'Bearer wrong-key-for-tests',
        `Basic ${testKeys.acme}`,
        testKeys.acme,
        'Bearer dkr_000000000000_00000000000000000000000000000000000000000000000000000',
      ]) {
        const request = requestTo(operation, id);
        if (authorization) request.set('authorization', authorization);
        const { status, headers, body } = await request;
        expect([status, body.code], `${operation.id} with ${authorization}`).toEqual([401, 'unauthorized']);
        expect(headers['www-authenticate']).toBe('Bearer');
      }
    }
  });

  it('a key without the scope is 403 on every secured route', async () => {
    const key = {
      webhooks: await keyWith(['webhooks']),
      images: await keyWith(['images:read', 'images:write']),
    };
    const id = ids.job(Date.now());
    for (const operation of operations.filter((each) => each.scope !== undefined)) {
      const other = operation.path.startsWith('/webhooks/') ? key.images : key.webhooks;
      const { status, body } = await call(operation, id, other);
      expect([status, body.code], operation.id).toEqual([403, 'insufficient_scope']);
    }
  });

  it('images:read permits reads only, and images:write permits submissions only', async () => {
    const job = await service.acme.generate({ prompt: 'Read or write' });
    const reader = createCaller(service.url, await keyWith(['images:read']));
    const writer = createCaller(service.url, await keyWith(['images:write']));

    await reader.get(`/images/${job.id}`).expect(200);
    await reader.get('/images').expect(200);
    await reader.get(`/images/${job.id}/content/0`).expect(200);
    await reader.post('/images').send({ prompt: 'No' }).expect(403);
    await reader.post(`/images/${job.id}/cancel`).expect(403);
    await reader.delete(`/images/${job.id}`).expect(403);
    await writer.get(`/images/${job.id}`).expect(403);
    await writer.get('/images').expect(403);
    await writer.get(`/images/${job.id}/content/0`).expect(403);
    await writer.post('/images').send({ prompt: 'Yes' }).expect(202);
  });

  it('only the probes, the metrics and the documents need no key', async () => {
    const open = operations.filter((operation) => !operation.secured).map(({ path }) => path);
    expect(open.filter((path) => !path.startsWith('/files/')).sort()).toEqual([
      '/livez',
      '/metrics',
      '/readyz',
    ]);
    for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json', '/openapi.yaml']) {
      await supertest(service.url).get(path).expect(200);
    }
  });
});
