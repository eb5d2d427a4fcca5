import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { objectionToWebhook } from '../../../../src/lib/crypto/verify-webhook.ts';
import { createWebhookSecret } from '../../../../src/lib/crypto/webhook-secret.ts';

const nowMs = Date.UTC(2026, 10, 24, 12);
const secret = createWebhookSecret();
const body = '{"type":"image.succeeded","data":{"note":"Zürich 夜"}}';

/** Creates headers as the reference library does. */
function headersFor(at = nowMs, of = secret, id = 'evt_1') {
  const signature = new Webhook(of).sign(id, new Date(at), body);
  return { id, timestamp: String(Math.floor(at / 1000)), signature };
}
const objection = (headers: Partial<ReturnType<typeof headersFor>>, text = body) =>
  objectionToWebhook({ id: undefined, timestamp: undefined, signature: undefined, ...headers }, text, {
    secret,
    nowMs,
  });

describe('objectionToWebhook', () => {
  it('accepts signatures of the reference library, even beside signatures of other secrets', () => {
    expect(objection(headersFor())).toBeNull();
    const other = headersFor(nowMs, createWebhookSecret()).signature;
    const { signature, ...rest } = headersFor();
    expect(objection({ ...rest, signature: `v1a,AAAA ${other} ${signature}` })).toBeNull();
  });

  it('refuses a webhook with one changed character of the body, the id, the time or the signature', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), (at) => {
        const changed = `${body.slice(0, at)}${body[at] === 'x' ? 'y' : 'x'}${body.slice(at + 1)}`;
        expect(objection(headersFor(), changed)).toBe('no signature matches the secret');
      }),
    );
    const good = headersFor();
    expect(objection({ ...good, id: 'evt_2' })).not.toBeNull();
    expect(objection({ ...good, timestamp: String(Number(good.timestamp) + 1) })).not.toBeNull();
    expect(
      objection({
        ...good,
        signature: good.signature.replace(/^v1,(.)/, (_, c) => `v1,${c === 'A' ? 'B' : 'A'}`),
      }),
    ).not.toBeNull();
    expect(objection({ ...good, signature: 'v1,' })).not.toBeNull();
  });

  it('refuses a webhook whose timestamp is more than five minutes in the past or future', () => {
    for (const seconds of [-299, 299]) expect(objection(headersFor(nowMs + seconds * 1000))).toBeNull();
    for (const seconds of [-302, 302]) {
      expect(objection(headersFor(nowMs + seconds * 1000))).toContain('5 minutes');
    }
  });

  it('refuses a webhook with a missing or unreadable header', () => {
    expect(objection({})).toContain('is missing');
    expect(objection({ ...headersFor(), timestamp: 'yesterday' })).toContain('timestamp');
  });
});
