import type {
  AuditLog,
  CheckRoom,
  Clock,
  DestinationGuard,
  Ids,
  ImageInspector,
  ImageStorage,
  InputDrafts,
  InputFetcher,
  JobStore,
  Log,
  Staging,
  Uploads,
} from '../../domain/ports.ts';
import { createCollectInputs } from './collect-inputs.ts';
import { createCreateUpload, type UploadPolicy } from './create-upload.ts';
import { createFetchInputs } from './fetch-inputs.ts';
import { createFindStoredInput } from './find-stored-input.ts';
import { createManageUploads } from './manage-uploads.ts';
import { createPrepareInputs } from './prepare-inputs.ts';
import { createSweepInputs } from './sweep-inputs.ts';

/** Everything that the verbs of inputs need. */
export interface InputsDeps {
  readonly records: Pick<JobStore, 'get' | 'tenants'>;
  readonly uploads: Uploads;
  readonly audit: Pick<AuditLog, 'appendErasure'>;
  readonly drafts: InputDrafts;
  readonly storage: ImageStorage;
  readonly staging: Staging;
  readonly inspector: ImageInspector;
  readonly checkRoom: CheckRoom;
  readonly fetcher: InputFetcher;
  /** Guard of the URLs of inputs. It is separate from the guard of webhooks. */
  readonly guard: DestinationGuard;
  readonly ids: Pick<Ids, 'upload'>;
  readonly clock: Clock;
  readonly linkSeconds: number;
  readonly policy: UploadPolicy;
  readonly log: Log;
}

/**
 * Returns a staging whose removals never reject. A file that stays is no reason to refuse a request: its job may be accepted
 * already, and a caller that reads an error would submit it again.
 */
function withoutFailedRemovals(staging: Staging, log: Log): Staging {
  return {
    ...staging,
    remove: (file) =>
      staging.remove(file).catch((error) => log.warn({ err: error }, 'temporary file not removed')),
  };
}

/** Builds the verbs of inputs and uploads. */
export function createInputs(deps: InputsDeps) {
  const { records, uploads, drafts, storage, inspector, guard, ids, clock, log } = deps;
  const staging = withoutFailedRemovals(deps.staging, log);
  const findStored = createFindStoredInput({ records, uploads, storage, staging, inspector, clock });
  return {
    createUpload: createCreateUpload({
      uploads,
      drafts,
      storage,
      staging,
      inspector,
      checkRoom: deps.checkRoom,
      ids,
      clock,
      policy: deps.policy,
    }),
    uploads: createManageUploads({
      ...{ uploads, audit: deps.audit, storage, clock, linkSeconds: deps.linkSeconds },
    }),
    /** Separates the inputs of a request from its fields. */
    collectInputs: createCollectInputs({ staging, guard }),
    /** Checks the inputs of a request before its job is accepted. */
    prepareInputs: createPrepareInputs({ storage, staging, inspector, findStored, drafts, clock }),
    /** Fetches the inputs of a job that are URLs, in the worker. */
    fetchInputs: createFetchInputs({ fetcher: deps.fetcher, inspector, storage, staging }),
    sweepInputs: createSweepInputs({ records, uploads, drafts, storage, staging, clock, log }),
  };
}
export type Inputs = ReturnType<typeof createInputs>;
