import { Gauge, Registry } from 'prom-client';
import { AppError } from '../../domain/errors.ts';
import type { ReadStoreFigures, StoreFigures } from '../../domain/ports.ts';
import { idle } from '../../lib/sleep.ts';

/** Timeout of the query of the store. It is well below the scrape timeout of Prometheus, 10 s by default. */
const storeLimitMs = 3_000;

/** Creates the gauges of the store in a separate registry, so that a scrape can omit them. */
export function createStoreGauges() {
  const registry = new Registry();
  const registers = [registry];
  const tasks = new Gauge({
    name: 'darkroom_queue_tasks',
    help: 'Tasks by queue and state',
    labelNames: ['queue', 'state'],
    registers,
  });
  const ages = new Gauge({
    name: 'darkroom_oldest_job_age_seconds',
    help: 'Time since the creation of the oldest job in a state; 0 if there is none',
    labelNames: ['state'],
    registers,
  });
  const aof = new Gauge({
    name: 'darkroom_redis_aof_enabled',
    help: 'Whether Redis writes an append-only file; without one, accepted jobs are lost when its process ends',
    registers,
  });
  const usedMemory = new Gauge({
    name: 'darkroom_redis_memory_used_bytes',
    help: 'Memory that Redis uses, on a cluster its fullest primary',
    registers,
  });
  const memoryLimit = new Gauge({
    name: 'darkroom_redis_memory_limit_bytes',
    help: 'Limit of the memory of Redis (maxmemory); absent without a limit',
    registers,
  });
  const pending = new Gauge({
    name: 'darkroom_webhook_deliveries_pending',
    help: 'Webhook deliveries that are neither delivered nor failed',
    registers,
  });
  const unarchived = new Gauge({
    name: 'darkroom_ledger_unarchived_age_seconds',
    help: 'Time since the oldest change of the ledger that is not archived; 0 if there is none',
    registers,
  });
  const blocked = new Gauge({
    name: 'darkroom_provider_scopes_blocked',
    help: 'Open circuit breakers of provider calls by provider, kind of scope and error code',
    labelNames: ['provider', 'kind', 'code'],
    registers,
  });
  return {
    show(figures: StoreFigures): Promise<string> {
      blocked.reset();
      for (const { count, ...labels } of figures.blockedScopes) blocked.set(labels, count);
      for (const { queue, state, count } of figures.queueTasks) tasks.set({ queue, state }, count);
      for (const { state, seconds: age } of figures.oldestJobs) ages.set({ state }, age);
      if (figures.isAofOn === null) aof.remove();
      else aof.set(figures.isAofOn ? 1 : 0);
      setOrRemove(usedMemory, figures.memory?.usedBytes);
      setOrRemove(memoryLimit, figures.memory?.limitBytes);
      pending.set(figures.pendingDeliveries);
      unarchived.set(figures.unarchivedSeconds);
      return registry.metrics();
    },
  };
}

/** Returns the figures of the store, or `null` if the store is unavailable or too slow. */
export function figuresInTime(queryStore: ReadStoreFigures): Promise<StoreFigures | null> {
  const figures = queryStore().catch((error) => {
    if (error instanceof AppError && error.code === 'store_unavailable') return null;
    throw error;
  });
  return Promise.race([figures, idle(storeLimitMs).then(() => null)]);
}

function setOrRemove(gauge: Gauge, value: number | null | undefined): void {
  if (value === null || value === undefined) gauge.remove();
  else gauge.set(value);
}
