/** Types of the API that the console reads. They exist at compile time only. */
import type { AuditEntryView } from '../../../src/domain/audit-view.ts';
import type { ImageJobView, PreviewView } from '../../../src/domain/job-view.ts';
import type { KeyView } from '../../../src/domain/key-view.ts';
import type { CatalogueModel } from '../../../src/domain/model-catalogue.ts';
import type { KeyWithSpending, OwnKeyView } from '../../../src/domain/own-key-view.ts';
import type { SystemStatus } from '../../../src/domain/system-status.ts';
import type { TenantView } from '../../../src/domain/tenant-body.ts';
import type { DeliveryView, EndpointView } from '../../../src/domain/webhook-view.ts';
import type { UsageRow } from '../../../src/inbound/http/schemas/usage.ts';

export type ImageJob = ImageJobView;
export type Image = ImageJob['images'][number];
export type JobStatus = ImageJob['status'];
export type JobError = NonNullable<ImageJob['error']>;
export type OwnKey = OwnKeyView;
export type OwnBudget = OwnKey['budgets'][number];
/** A key as its manager reads it. */
export type ManagedKey = KeyWithSpending;
/** A key with its text, which only its creation and a rotation return. */
export type NewKey = KeyView & { readonly key: string };
export type Tenant = TenantView;
export type AuditEntry = AuditEntryView;
export type Model = CatalogueModel & { readonly object: 'model' };
export type { SystemStatus, UsageRow };
export type PartialImage = PreviewView;
export type WebhookEndpoint = EndpointView;
/** An endpoint with its secret, which only its creation and a rotation show. */
export type NewWebhookEndpoint = WebhookEndpoint & { readonly secret: string };
export type WebhookDelivery = DeliveryView;
export type DeliveryAttempt = WebhookDelivery['attempts'][number];

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

export interface PresetVariable {
  readonly description: string;
  readonly default: string | null;
  readonly one_of: string[] | null;
  readonly max_length: number | null;
}

export interface Preset {
  readonly name: string;
  readonly description: string;
  readonly template: string;
  readonly variables: Readonly<Record<string, PresetVariable>>;
  readonly requires_images: number;
  readonly defaults: Readonly<Record<string, unknown>>;
}

export interface ImagePreview {
  readonly request: ImageJob['request'];
  readonly warnings: string[];
  readonly estimate: {
    readonly low_micro_usd: number | null;
    readonly high_micro_usd: number | null;
    readonly eta_s: { readonly p50: number; readonly p90: number } | null;
    readonly queue_depth: number;
  };
}

export interface Upload {
  readonly id: string;
  readonly content_type: string;
  readonly width: number;
  readonly height: number;
  readonly size_bytes: number;
}

export interface Enhancement {
  readonly original: string;
  readonly enhanced: string;
  readonly cost: { readonly micro_usd: number | null };
}

/** Body of an error, as problem+json. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly request_id: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly budget?: {
    readonly name: string;
    readonly window: string;
    readonly limit_micro_usd: number;
    readonly spent_micro_usd: number;
    readonly held_micro_usd: number;
    readonly resets_at: string | null;
  };
  readonly estimate_micro_usd?: number | null;
}

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
