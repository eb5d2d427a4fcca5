import type { Cluster, Redis } from 'ioredis';
import type { SpendRange } from '../../domain/budget.ts';
import type { Spending } from '../../domain/ports.ts';
import type { Keys } from './keys.ts';
import { fieldOf, ownerOf } from './money-counters.ts';
import { translated } from './store-errors.ts';

/** Creates the reads of the money counters. */
export function createSpending(redis: Redis | Cluster, keys: Keys): Spending {
  return {
    read: (tenant, ranges) =>
      translated(async () => {
        const fields = ranges.map(fieldsOf);
        const names = fields.flat().flatMap(({ held, spent }) => [held, spent]);
        if (names.length === 0) return [];
        const values = (await redis.hmget(keys.spend(tenant), ...names)).map(Number);
        let position = 0;
        const next = () => values[position++] ?? 0;
        return fields.map((days) =>
          days.reduce(
            ({ heldMicroUsd, spentMicroUsd }) => ({
              heldMicroUsd: heldMicroUsd + next(),
              spentMicroUsd: spentMicroUsd + next(),
            }),
            { heldMicroUsd: 0, spentMicroUsd: 0 },
          ),
        );
      }),
  };
}

function fieldsOf({ keyId, days }: SpendRange): { held: string; spent: string }[] {
  const owner = ownerOf(keyId);
  const buckets = days
    ? Array.from({ length: days.last - days.first + 1 }, (_, i) => days.first + i)
    : (['total'] as const);
  return buckets.map((bucket) => ({
    held: fieldOf(owner, bucket, 'held'),
    spent: fieldOf(owner, bucket, 'spent'),
  }));
}
