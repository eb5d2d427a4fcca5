import { beforeAll, describe, expect, it } from 'vitest';
import { beginExecution, type ImageJob } from '../../src/domain/image-job.ts';
import type { Deliveries, ImageRecords } from '../../src/domain/ports.ts';
import { type Delivery, deliveriesFor, deliveryIdsOf } from '../../src/domain/webhook-event.ts';
import { createDeliveries } from '../../src/outbound/records/deliveries.ts';
import { createImageRecords } from '../../src/outbound/records/image-records.ts';
import { createdAt, queuedJob } from '../support/jobs.ts';
import { connectTestStore, type TestStore } from '../support/store.ts';

let store: TestStore;
let records: ImageRecords;
let deliveries: Deliveries;

beforeAll(async () => {
  store = await connectTestStore();
  records = createImageRecords(store.redis, store.keys);
  deliveries = createDeliveries(store.redis, store.keys);
});

let tenants = 0;
const freshTenant = () => `t${++tenants}`;
const tellEverything = { webhook: { url: 'https://receiver.example/hook' } };
const soon = createdAt + 60_000;

async function submit(tenant: string): Promise<{ job: ImageJob; delivery: Delivery }> {
  const job = queuedJob({ tenant, request: tellEverything });
  const [delivery] = deliveriesFor(job);
  if (!delivery) throw new Error('nothing to deliver');
  await records.submit({ job, deliveries: [delivery], maxOpenJobs: 9 });
  return { job, delivery };
}

describe('a delivery', () => {
  it('is written together with the job it tells of', async () => {
    const { job, delivery } = await submit(freshTenant());
    expect(await deliveries.get(job.tenant, delivery.id)).toEqual(delivery);
    expect(await deliveries.due(job.tenant, soon, 10)).toEqual([delivery.id]);
  });

  it('is not written with a submission that is refused', async () => {
    const tenant = freshTenant();
    await submit(tenant);
    const job = queuedJob({ tenant, request: tellEverything });
    const written = deliveriesFor(job);
    expect(await records.submit({ job, deliveries: written, maxOpenJobs: 1 })).toEqual({
      kind: 'queue_full',
    });
    expect(await deliveries.get(tenant, written[0]?.id ?? '')).toBeNull();
    expect(await deliveries.due(tenant, soon, 10)).toHaveLength(1);
  });

  it('is written with the change it tells of, exactly once among many writers', async () => {
    const tenant = freshTenant();
    const { job, delivery } = await submit(tenant);
    const begun = await Promise.all(
      Array.from({ length: 20 }, () =>
        records.update(tenant, job.id, (now) => {
          if (now.status !== 'queued') return null;
          const next = beginExecution(now, createdAt + 1);
          return { job: next, deliveries: deliveriesFor(next) };
        }),
      ),
    );
    expect(new Set(begun.map((each) => each?.version))).toEqual(new Set([2]));
    const due = await deliveries.due(tenant, soon, 10);
    expect(due).toHaveLength(2);
    const started = await deliveries.get(tenant, due.find((id) => id !== delivery.id) ?? '');
    expect(started).toMatchObject({ type: 'image.started', job: { status: 'running' } });
  });

  it('is due only after the moment that was noted for it', async () => {
    const { job, delivery } = await submit(freshTenant());
    await deliveries.save({ ...delivery, attempts: 1 }, createdAt + 5_000);
    expect(await deliveries.due(job.tenant, createdAt + 5_000, 10)).toEqual([]);
    expect(await deliveries.due(job.tenant, createdAt + 5_001, 10)).toEqual([delivery.id]);
    expect(await deliveries.get(job.tenant, delivery.id)).toMatchObject({ attempts: 1 });
  });

  it('that was removed meanwhile is not brought back by a late note', async () => {
    const { job, delivery } = await submit(freshTenant());
    await deliveries.remove(job.tenant, [delivery.id]);
    await deliveries.save({ ...delivery, attempts: 1 }, createdAt + 5_000);
    expect(await deliveries.get(job.tenant, delivery.id)).toBeNull();
    expect(await deliveries.due(job.tenant, soon, 10)).toEqual([]);
  });

  it('can be removed before it exists, and twice', async () => {
    const { job } = await submit(freshTenant());
    await deliveries.remove(job.tenant, deliveryIdsOf(job.id));
    await deliveries.remove(job.tenant, deliveryIdsOf(job.id));
    expect(await deliveries.due(job.tenant, soon, 10)).toEqual([]);
  });

  it('belongs to its tenant alone', async () => {
    const { delivery } = await submit(freshTenant());
    const other = freshTenant();
    expect(await deliveries.get(other, delivery.id)).toBeNull();
    expect(await deliveries.due(other, soon, 10)).toEqual([]);
    await deliveries.remove(other, [delivery.id]);
    expect(await deliveries.get(delivery.tenant, delivery.id)).toEqual(delivery);
  });

  it('and its job leave no key behind', async () => {
    const { job } = await submit('gone');
    await deliveries.remove('gone', deliveryIdsOf(job.id));
    await records.remove(job);
    expect((await store.keysLeft()).filter((key) => key.includes('{gone}'))).toEqual([]);
  });
});
