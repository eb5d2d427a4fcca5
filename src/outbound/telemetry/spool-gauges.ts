import { Gauge, type Registry } from 'prom-client';

/** Bytes of all responses in a spool, and the number of bytes at which the spool accepts no further response. */
export interface SpoolFigures {
  readonly usedBytes: number;
  readonly fullBytes: number;
}

/**
 * Creates the gauges of this process's spool. They retain their values if the disk cannot be read.
 *
 * @param readUsage returns the usage of the spool.
 */
export function createSpoolGauges(registers: Registry[], readUsage: () => Promise<SpoolFigures>): void {
  const limit = new Gauge({
    name: 'darkroom_spool_limit_bytes',
    help: 'Size of the spool at which provider calls stop',
    registers,
  });
  new Gauge({
    name: 'darkroom_spool_bytes',
    help: 'Bytes of provider responses that are not stored yet',
    registers,
    async collect() {
      const usage = await readUsage().catch(() => null);
      if (!usage) return;
      this.set(usage.usedBytes);
      limit.set(usage.fullBytes);
    },
  });
}
