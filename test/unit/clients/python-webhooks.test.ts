import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { hasPython, runPython } from '../../support/python-client.ts';

const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const newSecret = `whsec_${Buffer.alloc(32, 6).toString('base64')}`;
const body = JSON.stringify({
  type: 'webhook.test',
  timestamp: '2026-11-29T10:00:00.000Z',
  data: { text: 'ü' },
});

const program = `
import json, sys
from darkroom import WebhookVerificationError, verify_webhook
outcomes = []
for each in json.loads(sys.argv[1]):
    try:
        event = verify_webhook(each["secret"], each["headers"], each["body"].encode())
        outcomes.append([event.id, event.type, event.data])
    except (WebhookVerificationError, ValueError) as error:
        outcomes.append(str(error))
print(json.dumps(outcomes))
`;

/** Returns the headers of a webhook that was signed some seconds ago. */
function signed(secondsAgo = 0): Record<string, string> {
  const at = new Date(Date.now() - secondsAgo * 1000);
  return {
    'Webhook-Id': 'evt_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': `v1,AAAA ${new Webhook(secret).sign('evt_1', at, body)}`,
  };
}

describe.skipIf(!hasPython)('verify_webhook of the Python client', () => {
  it('verify_webhook accepts genuine webhooks only, also while a secret is replaced', async () => {
    const cases = [
      { secret, headers: signed(), body },
      { secret: [newSecret, secret], headers: signed(), body },
      { secret: newSecret, headers: signed(), body },
      { secret, headers: signed(), body: body.replace('test', 'fake') },
      { secret, headers: signed(600), body },
      { secret, headers: signed(-600), body },
      { secret, headers: { ...signed(), 'webhook-timestamp': '²' }, body },
      { secret, headers: { ...signed(), 'webhook-timestamp': '9'.repeat(5_000) }, body },
      { secret, headers: { 'webhook-id': 'evt_1' }, body },
      { secret: null, headers: signed(), body },
      { secret: [''], headers: signed(), body },
    ];
    const printed = await runPython(['-c', program, JSON.stringify(cases)], { url: 'http://localhost' });
    const genuine = ['evt_1', 'webhook.test', { text: 'ü' }];
    const wrongTime = 'the timestamp is too old, or in the future';
    const forged = 'no signature matches';
    const missing = 'the header webhook-timestamp is missing';
    expect(JSON.parse(printed)).toEqual([
      ...[genuine, genuine, forged, forged],
      ...[wrongTime, wrongTime, wrongTime, wrongTime],
      missing,
      'The secret of the webhook is missing.',
      'The secret of the webhook is missing.',
    ]);
  });
});
