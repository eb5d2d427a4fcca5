import { buffer } from 'node:stream/consumers';
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import type { AppError, ErrorCode } from '../../domain/errors.ts';
import { errorRow } from '../../domain/errors.ts';
import {
  hasThumbnail,
  lacksThumbnail,
  type StoredImage,
  thumbnailKeyOf,
  thumbnailType,
} from '../../domain/image.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import type { ThumbnailMaker } from '../../domain/ports.ts';
import { createBoundedRead } from '../../lib/bounded-read.ts';
import { createFairSemaphore } from '../../lib/fair-semaphore.ts';
import type { Jobs } from '../../usecases/jobs/index.ts';
import { describeJob } from './describe-job.ts';
import type { McpCall } from './mcp-call.ts';

/** Larger previews fill the context of the model. Some clients refuse messages of a mebibyte. */
const maxPreviewBytes = 256 * 1024;
const defaultRetrySeconds = 30;
/** Time to read an image for its preview. The wait for the job leaves as much of the 50 s of a call. */
const previewReads = { maxMs: 5_000, pauseMs: 5_000 };

export interface PresentResultDeps {
  readonly jobs: Pick<Jobs, 'presentJob' | 'readImage'>;
  readonly thumbnailMaker: ThumbnailMaker;
  readonly linkSeconds: number;
}

/**
 * Creates the results of tools. Clients differ in what they show to the model, so every result has a text, the job as
 * structured content, links, and a small preview of the first image.
 */
export function createPresentResult({ jobs, thumbnailMaker, linkSeconds }: PresentResultDeps) {
  const inTurn = createFairSemaphore(1);
  const inTime = createBoundedRead(previewReads);

  /**
   * Returns the stored thumbnail of an image, or makes one if there is none yet. `null` if none can be made. Tenants take turns,
   * because the maker makes one at a time.
   */
  async function thumbnailOf(job: ImageJob, image: StoredImage): Promise<Buffer | null> {
    const open = async (storageKey: string) => (await jobs.readImage.open(storageKey)).body;
    if (hasThumbnail(image)) return inTime(async () => buffer(await open(thumbnailKeyOf(job, image))));
    if (!lacksThumbnail(image)) return null;
    // Opened in its turn, because an open image holds a file or a connection.
    const made = await inTurn(job.tenant, () =>
      inTime(async () => thumbnailMaker.make(await open(image.storageKey))),
    );
    return made?.bytes ?? null;
  }

  async function previewOf(job: ImageJob): Promise<ContentBlock[]> {
    const [first] = job.images;
    const bytes = first ? await thumbnailOf(job, first) : null;
    if (!bytes || bytes.length > maxPreviewBytes) return [];
    return [{ type: 'image', data: bytes.toString('base64'), mimeType: thumbnailType }];
  }

  return {
    /** Presents a job. A job that ended without an image is an error. */
    async job(
      job: ImageJob,
      call: McpCall,
      { preview }: { readonly preview: boolean },
    ): Promise<CallToolResult> {
      const view = await jobs.presentJob(job, { publicUrl: call.publicUrl, linkSeconds });
      const links = view.images.map(
        ({ url, index, content_type, size_bytes }): ContentBlock => ({
          type: 'resource_link',
          uri: url,
          name: `${view.id}-${index}`,
          mimeType: content_type,
          size: size_bytes,
        }),
      );
      // A preview is a convenience: a storage that is down or slow must not hide the job.
      const images = preview && view.images.length > 0 ? await previewOf(job).catch(() => []) : [];
      return {
        content: [{ type: 'text', text: describeJob(view) }, ...links, ...images],
        structuredContent: view as unknown as Record<string, unknown>,
        isError: view.error !== null || view.status === 'canceled',
      };
    },

    /** Presents jobs of a list, each with one line. */
    async list(list: readonly ImageJob[], call: McpCall, nextCursor: string | null): Promise<CallToolResult> {
      const views = await Promise.all(
        list.map((job) =>
          jobs.presentJob(job, { publicUrl: call.publicUrl, linkSeconds, withPosition: false }),
        ),
      );
      const lines = views.map(({ id, status, created_at, prompt }) =>
        [id, status, created_at, prompt.original.replaceAll(/\s+/g, ' ').slice(0, 80)].join(' | '),
      );
      return {
        content: [{ type: 'text', text: lines.join('\n') || 'There are no jobs.' }],
        structuredContent: { object: 'list', data: views, next_cursor: nextCursor },
      };
    },
  };
}
export type PresentResult = ReturnType<typeof createPresentResult>;

/** Presents a refusal as a result of a tool. */
export function presentError(error: AppError): CallToolResult {
  return {
    content: [{ type: 'text', text: describeRefusal(error) }],
    structuredContent: { error: fieldsOfRefusal(error) },
    isError: true,
  };
}

/** Returns a refusal as data for programs. */
export function fieldsOfRefusal({ code, message, issues = [], retryAfterSeconds, members }: AppError) {
  const { retryable } = errorRow(code);
  const retry = retryable ? { retry_after_s: retryAfterSeconds ?? defaultRetrySeconds } : {};
  return { code, message, retryable, ...retry, errors: issues, ...members };
}

/** Describes a refusal, so that the agent knows what to change and whether a repetition can help. */
export function describeRefusal({
  code,
  message,
  issues = [],
  retryAfterSeconds,
  members,
}: AppError): string {
  const lines = [
    `${code}: ${message}`,
    ...issues.map(({ pointer, detail }) => `${pointer || 'The arguments'} ${detail}`),
    adviceOn(code, retryAfterSeconds, members),
  ];
  // An agent has no other way to them.
  return lines.join('\n').replaceAll(/GET \/(models|presets) lists/g, 'The tool list_models lists');
}

function adviceOn(
  code: ErrorCode,
  retryAfterSeconds: number | undefined,
  members: AppError['members'],
): string {
  if (code === 'budget_exceeded') {
    const { resets_at } = members.budget as { readonly resets_at: string | null };
    const until = resets_at === null ? 'until the owner of the key raises it' : `until ${resets_at}`;
    return `Nothing was charged. Stop creating images and report this to the user: the budget refuses them ${until}. Only a cheaper request (lower quality, smaller size, smaller n) may still fit.`;
  }
  if (errorRow(code).retryable) return `Retry after ${retryAfterSeconds ?? defaultRetrySeconds} seconds.`;
  return 'Do not repeat the call without a change.';
}
