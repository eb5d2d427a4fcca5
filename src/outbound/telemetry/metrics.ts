import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Meter, ReadStoreFigures, StoreFigures } from '../../domain/ports.ts';
import { createCallMetrics } from './call-metrics.ts';
import { createJobMetrics } from './job-metrics.ts';
import { createLedgerMetrics } from './ledger-metrics.ts';
import { createMoneyMetrics } from './money-metrics.ts';
import { createRequestMetrics, type ObservedRequest } from './request-metrics.ts';
import { createSpoolGauges, type SpoolFigures } from './spool-gauges.ts';
import { createStoreGauges, figuresInTime } from './store-gauges.ts';

export interface Metrics extends Meter {
  observeRequest(request: ObservedRequest): void;
  /** Returns all metrics within seconds. Omits the figures of the store if the store does not reply in time. */
  render(): Promise<{ contentType: string; text: string }>;
}

/**
 * Creates the metrics in a separate registry, so that two services in one process do not mix. Labels never contain ids or
 * texts of callers.
 *
 * @param readSpoolUsage returns the usage of this process's spool. Absent if the process has no spool.
 */
export function createMetrics(
  queryStore: ReadStoreFigures,
  readSpoolUsage?: () => Promise<SpoolFigures>,
): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const unreadable = new Counter({
    name: 'darkroom_unreadable_records_total',
    help: 'Stored records that were skipped because this release cannot read them',
    labelNames: ['kind'],
    registers,
  });
  const storeUp = new Gauge({
    name: 'darkroom_store_up',
    help: 'Whether the store responded to the query of this scrape; if 0, figures of the store are omitted',
    registers,
  });
  const store = createStoreGauges();
  let querying: Promise<StoreFigures | null> | undefined;
  if (readSpoolUsage) createSpoolGauges(registers, readSpoolUsage);

  return {
    ...createJobMetrics(registers),
    ...createLedgerMetrics(registers),
    ...createCallMetrics(registers),
    ...createMoneyMetrics(registers),
    recordUnreadable: (kind) => unreadable.inc({ kind }),
    observeRequest: createRequestMetrics(registers),
    async render() {
      // Concurrent scrapes share one query, because a scrape costs the store several commands for each tenant.
      querying ??= figuresInTime(queryStore).finally(() => {
        querying = undefined;
      });
      const figures = await querying;
      storeUp.set(figures ? 1 : 0);
      const own = await registry.metrics();
      return { contentType: registry.contentType, text: figures ? own + (await store.show(figures)) : own };
    },
  };
}
