import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkEndpointText,
  createEndpoint,
  defaultGraceSeconds,
  disable,
  EndpointBody,
  EndpointPatch,
  liveSecrets,
  rotateSecret,
  updateEndpoint,
  WebhookEndpoint,
} from '../../../src/domain/webhook-endpoint.ts';
import { createdAt } from '../../support/jobs.ts';

const secretOverlapMs = defaultGraceSeconds * 1000;
const url = 'https://receiver.example/hook';
const created = createEndpoint({
  ...{ id: 'whk_1', tenant: 'acme', body: { url }, encryptedSecret: 'sealed 0', nowMs: createdAt },
});
const signing = (endpoint: WebhookEndpoint, nowMs: number) =>
  liveSecrets(endpoint, nowMs).map(({ encrypted }) => encrypted);
const moments = ({ history }: WebhookEndpoint) => history.map(({ what }) => what);

describe('a new endpoint', () => {
  it('creates an enabled endpoint that subscribes to everything and can be read back', () => {
    expect(created).toMatchObject({ events: ['*'], description: '', metadata: {}, version: 1 });
    expect(created.disabled).toBeUndefined();
    expect(WebhookEndpoint.parse(JSON.parse(JSON.stringify(created)))).toEqual(created);
  });
});

describe('rotating the secret', () => {
  it('signs with both secrets for 24 hours after a rotation, the new one first, then with the new one alone', () => {
    const at = createdAt + 1_000;
    const rotated = rotateSecret(created, 'sealed 1', { nowMs: at });
    expect(secretOverlapMs).toBe(24 * 3_600_000);
    expect(signing(rotated, at)).toEqual(['sealed 1', 'sealed 0']);
    expect(signing(rotated, at + secretOverlapMs - 1)).toEqual(['sealed 1', 'sealed 0']);
    expect(signing(rotated, at + secretOverlapMs)).toEqual(['sealed 1']);
    expect(signing(rotated, at + 365 * 86_400_000)).toEqual(['sealed 1']);
    expect(moments(rotated)).toEqual(['created', 'secret_rotated']);
  });

  it('rejects a rotation, without a change, while four secrets sign', () => {
    let endpoint = created;
    for (let i = 1; i <= 3; i++) endpoint = rotateSecret(endpoint, `sealed ${i}`, { nowMs: createdAt + i });
    expect(signing(endpoint, createdAt + 4)).toHaveLength(4);
    expect(() => rotateSecret(endpoint, 'one too many', { nowMs: createdAt + 4 })).toThrow(
      expect.objectContaining({ code: 'too_many_secrets' }),
    );
    const after = createdAt + 1 + secretOverlapMs;
    expect(signing(rotateSecret(endpoint, 'sealed 4', { nowMs: after }), after)).toEqual([
      ...['sealed 4', 'sealed 3', 'sealed 2', 'sealed 1'],
    ]);
  });

  it.each([
    [0, 0],
    [60, 60],
  ])('ends all earlier secrets after a grace period of %i s at most', (graceSeconds, secondsLeft) => {
    let endpoint = created;
    for (let i = 1; i <= (graceSeconds === 0 ? 3 : 2); i++)
      endpoint = rotateSecret(endpoint, `sealed ${i}`, { nowMs: createdAt + i });
    const nowMs = createdAt + 10;
    const rotated = rotateSecret(endpoint, 'sealed new', { nowMs, graceSeconds });
    const endMs = nowMs + secondsLeft * 1000;
    if (graceSeconds > 0) expect(signing(rotated, endMs - 1)).toHaveLength(4);
    expect(signing(rotated, endMs)).toEqual(['sealed new']);
    const again = rotateSecret(rotated, 'sealed last', { nowMs: nowMs + 1, graceSeconds: 0 });
    expect(again.secrets).toEqual([{ encrypted: 'sealed last' }]);
  });

  it('signs with one to four secrets at any time, and with a replaced one for at most a day', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40 * 3_600_000), { maxLength: 20 }), (pauses) => {
        let [endpoint, nowMs] = [created, createdAt];
        const replacedAt = new Map<string, number>();
        for (const [i, pause] of pauses.entries()) {
          nowMs += pause;
          if (liveSecrets(endpoint, nowMs).length < 4) {
            const [newest = ''] = signing(endpoint, nowMs);
            replacedAt.set(newest, nowMs);
            endpoint = rotateSecret(endpoint, `sealed ${i + 1}`, { nowMs: nowMs });
          }
          const live = signing(endpoint, nowMs);
          expect(live.length).toBeGreaterThanOrEqual(1);
          expect(live.length).toBeLessThanOrEqual(4);
          for (const old of live.slice(1))
            expect(nowMs - (replacedAt.get(old) ?? 0)).toBeLessThan(secretOverlapMs);
          expect(endpoint.secrets.length).toBeLessThanOrEqual(4);
        }
      }),
    );
  });
});

describe('updating an endpoint', () => {
  it('applies the given fields, records the old values and leaves the rest', () => {
    const patch = { url: 'https://other.example/', events: ['image.failed' as const] };
    const changed = updateEndpoint(created, patch, createdAt + 1);
    expect(changed).toMatchObject({ ...patch, secrets: created.secrets, updatedAt: createdAt + 1 });
    expect(changed.history.at(-1)).toEqual({ at: createdAt + 1, what: 'changed', detail: 'url, events' });
  });

  it('records no change if the new values equal the old ones', () => {
    for (const patch of [{}, { url }, { events: ['*' as const], metadata: {} }, { disabled: false }])
      expect(updateEndpoint(created, patch, createdAt + 1)).toBe(created);
    const off = updateEndpoint(created, { disabled: true }, createdAt + 1);
    expect(updateEndpoint(off, { disabled: true }, createdAt + 2)).toBe(off);
  });

  it('disables and enables an endpoint, and records the reason in the history', () => {
    const off = updateEndpoint(created, { disabled: true }, createdAt + 1);
    expect(off.disabled).toEqual({ reason: 'requested', at: createdAt + 1 });
    const on = updateEndpoint(off, { disabled: false }, createdAt + 2);
    expect(on.disabled).toBeUndefined();
    expect(on.history.slice(1)).toEqual([
      { at: createdAt + 1, what: 'disabled', detail: 'requested' },
      { at: createdAt + 2, what: 'enabled' },
    ]);
  });

  it('replaces an automatic disabling by that of the owner', () => {
    for (const reason of ['gone', 'failing'] as const) {
      const off = disable(created, reason, { nowMs: createdAt + 1 });
      const requested = updateEndpoint(off, { disabled: true }, createdAt + 2);
      expect(requested.disabled).toEqual({ reason: 'requested', at: createdAt + 2 });
    }
  });

  it('limits the history to the latest entries', () => {
    let endpoint = created;
    for (let i = 1; i <= 50; i++) endpoint = updateEndpoint(endpoint, { description: `${i}` }, createdAt + i);
    expect(endpoint.history).toHaveLength(20);
    expect(endpoint.history.at(-1)?.at).toBe(createdAt + 50);
  });
});

describe('the body of an endpoint request', () => {
  it.each<[string, unknown]>([
    ['nothing to send', { url, events: [] }],
    ['an unknown event', { url, events: ['image.nonsense'] }],
    ['the test event, which is sent on request only', { url, events: ['webhook.test'] }],
    ['an unknown field', { url, enabled: true }],
    ['no address', { description: 'x' }],
    ['a secret that is none', { url, secret: 'whsec_short' }],
    ['metadata beyond their length', { url, metadata: { a: 'x'.repeat(513) } }],
  ])('rejects the body of an endpoint with an invalid field: %s', (_name, body) => {
    expect(EndpointBody.safeParse(body).success).toBe(false);
  });

  it('accepts a custom secret only when the endpoint is created', () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    expect(EndpointBody.safeParse({ url, secret }).success).toBe(true);
    expect(EndpointPatch.safeParse({ secret }).success).toBe(false);
  });

  it('rejects text in any field that cannot be transmitted', () => {
    expect(() =>
      checkEndpointText({ url, description: 'x', metadata: { 'a\u0000': 'b', c: '\ud800' } }),
    ).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        issues: [
          expect.objectContaining({ pointer: '/metadata/a\u0000' }),
          expect.objectContaining({ pointer: '/metadata/c' }),
        ],
      }),
    );
    expect(() => checkEndpointText({ url, description: 'Zürich 夜' })).not.toThrow();
  });
});
