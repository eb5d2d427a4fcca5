import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WebhookDelivery, WebhookEndpoint } from '../../../console/src/api/types.ts';
import { formatRelative } from '../../../console/src/format/relative.ts';
import { fieldErrors, fieldsOf, requestOf } from '../../../console/src/screens/webhooks/form.ts';
import { receiverCode } from '../../../console/src/screens/webhooks/receiver.ts';
import {
  healthOf,
  hostOf,
  localInputOf,
  recoverySince,
  resultOf,
  stateOf,
  timeOfInput,
} from '../../../console/src/screens/webhooks/view.ts';

const endpoint = {
  status: 'enabled',
  disabled_reason: null,
  disabled_at: null,
  health: { consecutive_failures: 0, failing_since: null, blocked_until: null },
} as unknown as WebhookEndpoint;
const failing = {
  ...endpoint,
  health: { ...endpoint.health, failing_since: '2026-11-29T11:31:00.000Z' },
} as WebhookEndpoint;
const disabled = { ...failing, status: 'disabled', disabled_reason: 'gone' } as WebhookEndpoint;

describe('the health of an endpoint', () => {
  it('is that of its circuit breaker, unless the endpoint is disabled', () => {
    expect([endpoint, failing, disabled].map((each) => healthOf(each).text)).toEqual([
      'healthy',
      'failingSince',
      'disabled.gone',
    ]);
  });

  it('proposes the begin of the failures as the begin of a recovery, otherwise a day ago', () => {
    const now = Date.parse('2026-11-30T08:00:00.000Z');
    expect(recoverySince(failing, now)).toBe('2026-11-29T11:31:00.000Z');
    expect(recoverySince(endpoint, now)).toBe('2026-11-29T08:00:00.000Z');
  });
});

describe('a delivery', () => {
  const delivery = (status: string, attempt_count: number) =>
    ({ status, attempt_count }) as unknown as WebhookDelivery;

  it('that waits is queued before its first attempt and retrying after it', () => {
    expect(stateOf(delivery('pending', 0))?.text).toBe('delivery.queued');
    expect(stateOf(delivery('pending', 1))?.text).toBe('delivery.retrying');
  });

  it('in a status of a newer server has no badge of its own', () => {
    expect(stateOf(delivery('other', 1))).toBeNull();
  });

  it('shows the HTTP status of its attempt, or the reason if there was no response', () => {
    expect(resultOf({ status: 500, outcome: 'http_500' })).toBe('500');
    expect(resultOf({ status: null, outcome: 'redirect_refused' })).toBe('redirect refused');
  });
});

describe('the form of an endpoint', () => {
  it.each([
    [['*'], ['*']],
    [['image.*'], ['image.*']],
    [
      ['image.*', 'budget.threshold'],
      ['image.*', 'budget.threshold'],
    ],
    [
      ['image.failed', 'budget.threshold'],
      ['image.failed', 'budget.threshold'],
    ],
  ])('keeps the events %j of an endpoint', (events, expected) => {
    const fields = fieldsOf({ url: 'https://a.example', description: '', events } as never);
    expect(requestOf(fields)?.events).toEqual(expected);
  });

  it('is not complete without an address or without an event', () => {
    const fields = fieldsOf(undefined);
    expect(requestOf(fields)).toBeNull();
    expect(requestOf({ ...fields, url: 'https://a.example', hasAllEvents: false })).toBeNull();
    expect(requestOf({ ...fields, url: ' https://a.example ' })).toEqual({
      url: 'https://a.example',
      description: '',
      events: ['*'],
    });
  });

  it('shows a refusal at its field, and the rest of it apart', () => {
    const errors = [{ pointer: '/url', detail: 'is no public address' }];
    expect(fieldErrors({ errors } as never)).toMatchObject({ url: 'is no public address', hasAll: true });
    const more = [...errors, { pointer: '/metadata', detail: 'is too long' }];
    expect(fieldErrors({ errors: more } as never)).toMatchObject({ hasAll: false });
    expect(fieldErrors(null)).toMatchObject({ url: undefined, hasAll: false });
  });
});

describe('times and addresses', () => {
  it('a time survives the way through an input of the browser, except its seconds', () => {
    expect(timeOfInput(localInputOf('2026-11-29T11:31:47.123Z'))).toBe('2026-11-29T11:31:00.000Z');
    expect(timeOfInput('')).toBeNull();
  });

  it('a relative time has the largest unit that fits', () => {
    const now = Date.parse('2026-11-30T00:00:00.000Z');
    expect(formatRelative('2026-11-29T23:59:48.000Z', now, 'en')).toBe('12 sec. ago');
    expect(formatRelative('2026-11-30T00:24:30.000Z', now, 'en')).toBe('in 24 min.');
    expect(formatRelative('2026-11-27T00:00:00.000Z', now, 'zh-Hans')).toBe('3天前');
  });

  it('the host of an address has its port', () => {
    expect(hostOf('https://shop.example:8443/hooks')).toBe('shop.example:8443');
    expect(hostOf('nothing')).toBe('nothing');
  });
});

describe('the receiver of ten lines', () => {
  it('has ten lines, accepts a genuine event and refuses a forged one', async () => {
    expect(receiverCode.trim().split('\n')).toHaveLength(10);
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const code = receiverCode.replace(
      /\.listen\(.*\)/,
      ".listen(0, function () { console.log('port ' + this.address().port) })",
    );
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      env: { PATH: process.env.PATH, WEBHOOK_SECRET: secret },
    });
    onTestFinished(() => void child.kill());
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await vi.waitFor(() => expect(output).toContain('port '), { timeout: 10_000 });
    const url = `http://127.0.0.1:${/port (\d+)/.exec(output)?.[1]}`;
    const body = JSON.stringify({ type: 'image.succeeded', data: {} });
    const at = new Date();
    const send = (signature: string) =>
      fetch(url, {
        method: 'POST',
        headers: {
          'webhook-id': 'msg_1',
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': signature,
        },
        body,
      });
    expect((await send('v1,forged')).status).toBe(400);
    expect((await send(new Webhook(secret).sign('msg_1', at, body))).status).toBe(204);
    child.kill();
    await once(child, 'exit');
  });
});
