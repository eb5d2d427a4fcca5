import { expect, it } from 'vitest';
import { eventFor } from '../../src/domain/webhook-event.ts';
import { finishedJob, queuedJob } from '../support/jobs.ts';
import { connectWebhooks, endpointServerOf } from '../support/webhook-core.ts';

const sevenDaysMs = 7 * 24 * 3600 * 1000;
/** For this time at most the links of an image stay the same. */
const quarterHourMs = 15 * 60 * 1000;

/** Dispatches an event of a job with one image. Returns readers of the sent links and of everything that Redis stores. */
async function imageDelivered() {
  const webhooks = await connectWebhooks();
  const destination = await endpointServerOf(503);
  const endpoint = await webhooks.register({ url: destination.url, events: ['image.succeeded'] });
  const queued = queuedJob({ nowMs: webhooks.clock() });
  await webhooks.records.submit({ job: queued, maxOpenJobs: 9 });
  // Images do not expire here, because their expiry would limit that of the links.
  const { mediaExpiresAt: _mediaExpiresAt, ...job } = finishedJob(queued);
  await webhooks.records.update({ tenant: 'acme', id: job.id }, (now) => ({
    job: { ...job, version: now.version },
    event: eventFor(job),
  }));
  await webhooks.dispatch();
  const strings = async () => {
    const names = await webhooks.redis.keys(`${webhooks.prefix}:*`);
    const types = await Promise.all(names.map((name) => webhooks.redis.type(name)));
    return webhooks.redis.mget(names.filter((_, i) => types[i] === 'string'));
  };
  const sent = () =>
    destination.requests.map(({ body }) => JSON.parse(body).data.images[0] as Record<string, string>);
  return { webhooks, endpoint, destination, strings, sent };
}

it('stores the storage key of an image and no signed link, before and after attempts', async () => {
  const { webhooks, endpoint, strings } = await imageDelivered();
  for (let attempt = 0; attempt < 2; attempt++) {
    const stored = (await strings()).join('\n');
    expect(stored).toContain('/0.png');
    expect(stored).not.toMatch(/url_expires_at|\/files\/|signature=|X-Amz-/i);
    await webhooks.empty(endpoint.id);
  }
});

it('sends the same webhook-id and job with each attempt, with links that work for about seven days from that attempt', async () => {
  const { webhooks, endpoint, destination, sent } = await imageDelivered();
  await webhooks.emptyForGood(endpoint.id);
  const images = sent();
  expect(images).toHaveLength(10);
  for (const image of images) expect(image.url).toMatch(/^https:\/\/darkroom\.example\//);
  const sentAt = destination.requests.map(({ headers }) => Number(headers['webhook-timestamp']) * 1000);
  const lives = images.map(
    ({ url_expires_at = '' }, index) => Date.parse(url_expires_at) - (sentAt[index] ?? 0),
  );
  for (const life of lives) expect(life).toBeGreaterThan(sevenDaysMs - quarterHourMs);
  expect(images.at(-1)?.url).not.toBe(images[0]?.url);
  const ids = destination.requests.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBe(1);
  const withoutLinks = destination.requests.map(({ body }) =>
    body.replace(/"url":"[^"]*","url_expires_at":"[^"]*"/, ''),
  );
  expect(new Set(withoutLinks).size).toBe(1);
});
