import type { CallerPolicy } from '../../domain/access-policy.ts';
import type { Estimate } from '../../domain/estimate.ts';
import type { ImageJob, Retention } from '../../domain/image-job.ts';
import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { WaitingCallers } from '../../domain/ports/callers.ts';
import type {
  AuditLog,
  BudgetThresholds,
  CheckRoom,
  Clock,
  Deliveries,
  DestinationGuard,
  Ids,
  ImageProvider,
  ImageStorage,
  JobChanges,
  JobQueue,
  JobStore,
  Log,
  Meter,
  Signals,
  Spending,
  TaskIntake,
  TaskQueue,
  WebhookEvents,
} from '../../domain/ports.ts';
import type { Presets } from '../../domain/preset.ts';
import type { ManageUploads } from '../inputs/manage-uploads.ts';
import type { PrepareInputs } from '../inputs/prepare-inputs.ts';
import type { SubmitPolicy, UsageRowOf } from './submit-job.ts';

/** Everything that the verbs of jobs need. */
export interface JobsDeps {
  readonly records: JobStore;
  readonly changes: JobChanges;
  readonly events: WebhookEvents;
  readonly deliveries: Deliveries;
  readonly storage: ImageStorage;
  readonly jobQueue: JobQueue;
  readonly jobIntake: TaskIntake;
  readonly webhookQueue: TaskQueue;
  readonly signals: Signals;
  readonly guard: DestinationGuard;
  readonly catalogue: ModelCatalogue;
  readonly estimate: Estimate;
  readonly presets: Presets;
  /** The language model that writes descriptions. */
  readonly enhanceModel: string;
  /** Only in processes that call the provider. */
  readonly provider: Pick<ImageProvider, 'cancel'> | undefined;
  readonly ids: Ids;
  /** SHA-256, base64url. */
  readonly digest: (text: string) => string;
  /** A digest that only a holder of our secret can compute. */
  readonly keyedDigest: (text: string) => string;
  readonly clock: Clock;
  /** Resolves after the time. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly isDraining: () => boolean;
  readonly retentionOf: (job: ImageJob) => Retention;
  readonly linkSeconds: number;
  /** Callers that wait on a connection of any process. */
  readonly callers: WaitingCallers;
  /** Name of this process, different after every start. */
  readonly process: string;
  readonly prepareInputs: PrepareInputs;
  readonly checkRoom: CheckRoom;
  readonly uploads: Pick<ManageUploads, 'remove'>;
  readonly audit: Pick<AuditLog, 'appendErasure'>;
  readonly usageRowOf: UsageRowOf;
  readonly thresholds: BudgetThresholds;
  readonly spending: Spending;
  /** Returns the rules for the key and the tenant of a job. */
  readonly policyOf: (tenant: string, keyId: string | undefined) => Promise<CallerPolicy>;
  readonly policy: SubmitPolicy;
  readonly meter: Meter;
  readonly log: Log;
}
