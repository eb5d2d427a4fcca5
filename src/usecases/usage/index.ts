import type {
  Clock,
  ImageStorage,
  JobStore,
  Log,
  Meter,
  UnarchivedJobs,
  UsageCounters,
} from '../../domain/ports.ts';
import { createArchiveLedger } from './archive-ledger.ts';
import { createLedgerArchive } from './ledger-archive.ts';
import { createReadLedger } from './read-ledger.ts';
import { createReportUsage } from './report-usage.ts';

/** Everything that the verbs of usage need. */
export interface UsageDeps {
  readonly records: JobStore;
  readonly usageCounters: UsageCounters;
  readonly unarchived: UnarchivedJobs;
  readonly storage: ImageStorage;
  /** Returns a unique text of letters and digits that sorts by time. */
  readonly createName: () => string;
  readonly policy: {
    /** Metadata keys whose values separate usage. */
    readonly metadataKeys: readonly string[];
    readonly ledgerTtlMs: number;
    readonly usageTtlMs: number;
  };
  readonly clock: Clock;
  readonly meter: Pick<Meter, 'ledgerArchived'>;
  readonly log: Log;
}

/** Builds the verbs of usage. */
export function createUsage(deps: UsageDeps) {
  const { records, usageCounters, unarchived, policy, clock, meter, log } = deps;
  const archive = createLedgerArchive({ storage: deps.storage, createName: deps.createName, log });
  return {
    reportUsage: createReportUsage({ usageCounters, metadataKeys: policy.metadataKeys }),
    readLedger: createReadLedger({ records, unarchived, archive, log }),
    ...createArchiveLedger({ records, unarchived, usageCounters, archive, clock, meter, log, policy }),
  };
}
export type Usage = ReturnType<typeof createUsage>;
