import { Counter, type Registry } from 'prom-client';
import type { Meter } from '../../domain/ports.ts';

/** Creates the metrics of the archive of the ledger. */
export function createLedgerMetrics(registers: Registry[]): Pick<Meter, 'ledgerArchived'> {
  const lines = new Counter({
    name: 'darkroom_ledger_lines_archived_total',
    help: 'Lines of the ledger written to the storage; a changed line is written again',
    registers,
  });
  return { ledgerArchived: (count) => lines.inc(count) };
}
