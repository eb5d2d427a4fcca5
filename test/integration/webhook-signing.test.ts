import { Webhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import {
  atTimeOf,
  author,
  connectWebhooks,
  dayMs,
  endpointServerOf,
  isSignedWith,
} from '../support/webhook-core.ts';
import type { Received } from '../support/webhook-endpoints.ts';

/** Collects deliveries of one endpoint and of webhooks named by jobs, with the secret of each. */
async function someDeliveries() {
  const webhooks = await connectWebhooks();
  const [registered, named] = [await endpointServerOf(), await endpointServerOf()];
  const endpoint = await webhooks.register({ url: registered.url, events: ['image.queued'] });
  await webhooks.emit(5, { url: named.url });
  await webhooks.dispatch();
  await webhooks.emptyAll(endpoint.id);
  await webhooks.emptyAll(webhooks.hostDestinationKey(named.url));
  await webhooks.testEndpoint('acme', endpoint.id);
  const signed = [
    ...registered.requests.map((request) => ({ request, secret: endpoint.secret })),
    ...named.requests.map((request) => ({ request, secret: webhooks.tenantSecret })),
  ];
  expect(signed).toHaveLength(11);
  return { webhooks, endpoint, signed };
}

/** Verifies a request with every supported verifier. Throws if one rejects it. */
function verify(
  { headers, body }: { headers: Received['headers']; body: string | Buffer },
  secret: string,
): unknown {
  return atTimeOf({ headers }, () => {
    const given = headers as Record<string, string>;
    const found = new Webhook(secret).verify(body, given);
    expect(new SvixWebhook(secret).verify(body, given)).toEqual(found);
    return found;
  });
}

describe('the signature of a delivery', () => {
  it('sends deliveries that the verifiers of Standard Webhooks and of Svix accept', async () => {
    const { signed } = await someDeliveries();
    for (const { request, secret } of signed) {
      expect(verify(request, secret)).toEqual(JSON.parse(request.body));
    }
  });

  it('fails verification in both libraries if any byte of a delivery changed', async () => {
    const { signed } = await someDeliveries();
    for (const { request, secret } of signed.slice(0, 1)) {
      const body = Buffer.from(request.body);
      for (let at = 0; at < body.length; at++) {
        const altered = Buffer.from(body);
        altered.writeUInt8(altered.readUInt8(at) ^ (1 << (at & 7)), at);
        for (const Verifier of [Webhook, SvixWebhook]) {
          const headers = request.headers as Record<string, string>;
          const isAccepted = atTimeOf(request, () =>
            attempt(() => new Verifier(secret).verify(altered, headers)),
          );
          expect(isAccepted, `byte ${at}`).toBe(false);
        }
      }
    }
  });

  it('fails verification in both libraries under another id, another time or another signature', async () => {
    const { signed } = await someDeliveries();
    const [first, second] = signed;
    if (!first || !second) throw new Error('nothing was sent');
    const { request, secret } = first;
    const later = Number(request.headers['webhook-timestamp']) + 1;
    for (const headers of [
      { 'webhook-id': second.request.headers['webhook-id'] },
      { 'webhook-timestamp': String(later) },
      { 'webhook-signature': second.request.headers['webhook-signature'] },
    ])
      expect(isSignedWith({ body: request.body, headers: { ...request.headers, ...headers } }, secret)).toBe(
        false,
      );
  });

  it('signs each delivery only with the secret of its endpoint or of its tenant', async () => {
    const { webhooks, endpoint, signed } = await someDeliveries();
    const other = await webhooks.register({ url: 'http://127.0.0.1:1025/' });
    const secrets = [endpoint.secret, webhooks.tenantSecret, other.secret];
    for (const { request, secret } of signed)
      expect(secrets.filter((each) => isSignedWith(request, each))).toEqual([secret]);
  });

  it('signs with a secret that the owner chose', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf();
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const endpoint = await webhooks.register({ url: destination.url, secret });
    expect(endpoint.secret).toBe(secret);
    await webhooks.testEndpoint('acme', endpoint.id);
    for (const request of destination.requests) verify(request, secret);
    expect(destination.requests).toHaveLength(1);
  });
});

describe('the rotation of a secret', () => {
  it('loses no delivery during a rotation: each verifies with the old or the new secret', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf();
    const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
    await webhooks.emit(300);
    await webhooks.dispatch();
    const secrets = [endpoint.secret];
    const run = webhooks.emptyAll(endpoint.id);
    for (let i = 1; i <= 3; i++) {
      await expect.poll(() => destination.requests.length).toBeGreaterThan(20 * i);
      secrets.push((await webhooks.manageEndpoints.rotateSecret(author, endpoint.id, {})).secret);
    }
    await run;
    expect(destination.times().size).toBe(300);
    for (const request of destination.requests)
      expect(secrets.some((secret) => isSignedWith(request, secret))).toBe(true);
  });

  it('signs each delivery with both secrets for a day, then with the new one alone', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf();
    const endpoint = await webhooks.register({ url: destination.url, events: ['image.queued'] });
    const { secret } = await webhooks.manageEndpoints.rotateSecret(author, endpoint.id, {});
    expect(secret).not.toBe(endpoint.secret);
    const signedWithOld = async () => {
      const before = destination.requests.length;
      await webhooks.emit(5);
      await webhooks.dispatch();
      await webhooks.emptyAll(endpoint.id);
      const fresh = destination.requests.slice(before);
      expect(fresh).toHaveLength(5);
      for (const request of fresh) verify(request, secret);
      return fresh.map((request) => isSignedWith(request, endpoint.secret));
    };
    expect(await signedWithOld()).toEqual([true, true, true, true, true]);
    webhooks.passTime(dayMs - 1);
    expect(await signedWithOld()).toEqual([true, true, true, true, true]);
    webhooks.passTime(1);
    expect(await signedWithOld()).toEqual([false, false, false, false, false]);
  });

  it('signs with the new secret alone after a rotation without a grace period, also while four secrets sign', async () => {
    const webhooks = await connectWebhooks();
    const destination = await endpointServerOf();
    const { id, secret: first } = await webhooks.register({ url: destination.url, events: ['image.queued'] });
    const rotate = (rotation: object) => webhooks.manageEndpoints.rotateSecret(author, id, rotation);
    for (let i = 0; i < 3; i++) await rotate({});
    await expect(rotate({})).rejects.toMatchObject({ code: 'too_many_secrets' });
    const { secret, secrets } = await rotate({ grace_s: 0 });
    expect(secrets).toEqual([{ expires_at: null }]);
    await webhooks.emit(1);
    await webhooks.dispatch();
    await webhooks.emptyAll(id);
    const [request] = destination.requests;
    if (!request) throw new Error('no delivery');
    verify(request, secret);
    expect(isSignedWith(request, first)).toBe(false);
    expect((await rotate({})).secrets).toHaveLength(2);
  });

  it('returns the new secret once and stores no secret in the clear', async () => {
    const webhooks = await connectWebhooks();
    const endpoint = await webhooks.register({ url: 'http://127.0.0.1:1025/' });
    const { secret } = await webhooks.manageEndpoints.rotateSecret(author, endpoint.id, {});
    expect(JSON.stringify(await webhooks.manageEndpoints.get('acme', endpoint.id))).not.toContain('whsec_');
    const row = JSON.stringify(await webhooks.endpoints.get('acme', endpoint.id));
    for (const each of [endpoint.secret, secret]) expect(row).not.toContain(each.slice('whsec_'.length));
  });
});

/** Returns whether a function finishes without throwing. */
function attempt(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
