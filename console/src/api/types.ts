/** Types of the API, generated from openapi.yaml. They exist at compile time only. */
import type {
  ApiKeyWithSpending,
  ImageJob as GeneratedJob,
  Problem as GeneratedProblem,
  Image,
  JobStatus,
  OwnApiKey,
  PartialImage,
  WebhookAttempt,
} from '../../../clients/typescript/src/generated/types.gen.ts';

export type {
  AuditEntry,
  Enhancement,
  EnhancementPreview,
  Image,
  ImagePreview,
  JobError,
  JobStatus,
  Model,
  NewWebhookEndpoint,
  OwnBudget,
  PartialImage,
  Preset,
  PresetVariable,
  SystemStatus,
  Tenant,
  Upload,
  UsageRow,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../../clients/typescript/src/generated/types.gen.ts';

export type ImageJob = GeneratedJob;
export type OwnKey = OwnApiKey;
/** A key as its manager reads it. */
export type ManagedKey = ApiKeyWithSpending;
/** A key with its text, which only its creation and a rotation return. */
export type { NewApiKey as NewKey } from '../../../clients/typescript/src/generated/types.gen.ts';
export type DeliveryAttempt = WebhookAttempt;

export interface Page<Item> {
  readonly object: 'list';
  readonly data: Item[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

export interface List<Item> {
  readonly object: 'list';
  readonly data: Item[];
}

/** Body of an error, as problem+json. A newer service may have further codes. */
export type Problem = Omit<GeneratedProblem, 'code'> & { readonly code: string };

/** The data of one event of `GET /events`. */
export interface ImageEvent {
  readonly id: string;
  readonly type: string;
  readonly status: JobStatus;
  readonly stage: ImageJob['stage'];
  readonly at: string;
  readonly image?: Image;
  readonly partial_image?: PartialImage;
  readonly job?: ImageJob;
}
