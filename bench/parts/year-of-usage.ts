import type { UsageLabels } from '../../src/domain/usage.ts';
import { startOfUtcDay, utcDayOf } from '../../src/domain/utc-day.ts';
import { usageCounters } from '../../src/outbound/records/usage-counters.ts';
import { createUsageCounters } from '../../src/outbound/records/usage-rows.ts';
import { tenant } from './darkroom.ts';
import { finishedJob, type RecordStore } from './records.ts';

const days = 365;
const keysOfTenant = 100;
const models = ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-image-2.6-flare', 'gpt-image-2.6-sunburst'];

/** A year of usage in the store. */
export interface YearOfUsage {
  readonly fromDay: number;
  /** Exclusive. */
  readonly toDay: number;
  /** Counts one more job of the last day, as a running deployment does between two reports. */
  countOne(): Promise<void>;
}

/** Counts one job of every model and key on every day of the last year, as the step that ends a job counts it. */
export async function countYear({ client, keys }: RecordStore): Promise<YearOfUsage> {
  const toDay = utcDayOf(Date.now()) + 1;
  const rows = createUsageCounters(client, keys, { maxRows: keysOfTenant * models.length });
  const labels = Array.from({ length: keysOfTenant }, (_, no) =>
    models.map((model): UsageLabels => ({ model, keyId: keyId(no), metadata: {} })),
  ).flat();
  const usageRows = await Promise.all(labels.map((each) => rows.rowOf(tenant, each)));
  const entriesOf = (day: number, usageRow: number) => {
    const job = finishedJob(startOfUtcDay(day));
    const attempts = job.attempts.map((attempt) => ({ ...attempt, provider: 'openai' }));
    return usageCounters(keys, { ...job, createdAt: startOfUtcDay(day), attempts, usageRow });
  };
  const sums = new Map<string, Map<string, number>>();
  for (let day = toDay - days; day < toDay; day += 1) {
    for (const { key, field, amount } of usageRows.flatMap((row) => entriesOf(day, row))) {
      const fields = sums.get(key) ?? new Map<string, number>();
      sums.set(key, fields);
      fields.set(field, (fields.get(field) ?? 0) + amount);
    }
  }
  for (const [key, fields] of sums) await client.hset(key, fields);
  return {
    fromDay: toDay - days,
    toDay,
    async countOne() {
      const entries = entriesOf(toDay - 1, usageRows[0] ?? 0);
      await Promise.all(entries.map(({ key, field, amount }) => client.hincrby(key, field, amount)));
    },
  };
}

/** Returns an id as long as those of the service. */
const keyId = (no: number): string => `key_${no.toString(16).toUpperCase().padStart(26, '0')}`;
