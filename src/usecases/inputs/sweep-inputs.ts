import { allInputKeysOf } from '../../domain/input-image.ts';
import type {
  Clock,
  ImageStorage,
  InputDrafts,
  JobStore,
  Log,
  Staging,
  Uploads,
} from '../../domain/ports.ts';
import { uploadKeyOf } from '../../domain/upload.ts';
import { type Turns, takeTurns } from '../../lib/take-turns.ts';

interface Deps {
  records: Pick<JobStore, 'get' | 'tenants'>;
  uploads: Uploads;
  drafts: InputDrafts;
  storage: Pick<ImageStorage, 'remove'>;
  staging: Pick<Staging, 'sweep'>;
  clock: Clock;
  log: Log;
}

const pageSize = 100;
/** Age of a draft whose request must have ended, in milliseconds. */
const abandonedMs = 3_600_000;

/**
 * Deletes expired uploads, the bytes of requests that were never accepted, and temporary files of ended processes.
 * Idempotent. An entry that cannot be deleted stays for the next round. Tenants are swept in turns, a page each.
 */
export function createSweepInputs(deps: Deps) {
  async function removeUpload(tenant: string, id: string): Promise<void> {
    await deps.storage.remove(uploadKeyOf({ tenant, id }));
    await deps.uploads.remove(tenant, id);
  }

  async function settleDraft(tenant: string, id: string): Promise<void> {
    const isUpload = id.startsWith('upl_');
    const record = isUpload ? await deps.uploads.get(tenant, id) : await deps.records.get(tenant, id);
    const keys = isUpload ? [uploadKeyOf({ tenant, id })] : allInputKeysOf({ tenant, id });
    if (!record) for (const key of keys) await deps.storage.remove(key);
    await deps.drafts.remove(tenant, id);
  }

  /** Processes the pages of a list, until an entry stays. */
  async function* drain(list: () => Promise<string[]>, work: (id: string) => Promise<void>): Turns {
    for (let ids = await list(); ids.length > 0; ids = await list()) {
      for (const id of ids) await work(id);
      if (ids.length < pageSize) return;
      yield;
    }
  }

  async function* sweepTenant(tenant: string, nowMs: number): Turns {
    try {
      yield* drain(
        () => deps.uploads.expired(tenant, nowMs, pageSize),
        (id) => removeUpload(tenant, id),
      );
      yield* drain(
        () => deps.drafts.listOlder(tenant, nowMs - abandonedMs, pageSize),
        (id) => settleDraft(tenant, id),
      );
    } catch (error) {
      deps.log.warn({ err: error, tenant }, 'expired inputs not deleted, trying again');
    }
  }

  return async (): Promise<void> => {
    await deps.staging.sweep();
    const nowMs = deps.clock();
    const tenants = await deps.records.tenants();
    await takeTurns(tenants.map((tenant) => sweepTenant(tenant, nowMs)));
  };
}
export type SweepInputs = ReturnType<typeof createSweepInputs>;
