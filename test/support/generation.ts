import { AppError, type ErrorCode } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import {
  type BlockedScope,
  type CircuitBreaker,
  type DecodedResponse,
  type DecodeResponse,
  type FindDecoder,
  type ImageCall,
  type ImageProvider,
  type ImageStorage,
  type PromptEnhancer,
  ProviderError,
  type ProviderFailure,
  type Spool,
  type SpoolHead,
  type SpoolKey,
} from '../../src/domain/ports.ts';
import { digestHex } from '../../src/lib/crypto/api-key-text.ts';
import { createSemaphore } from '../../src/lib/semaphore.ts';
import { createFinalizeResponse } from '../../src/usecases/generation/finalize-response.ts';
import { createGeneration } from '../../src/usecases/generation/index.ts';
import { createUploadImage } from '../../src/usecases/generation/upload-image.ts';
import type { UpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { builtInCatalogue } from './catalogue.ts';
import { createdAt, idleMeter, queuedJob, retention, silentLog } from './jobs.ts';

/** Result of one call to the scripted provider. */
export type ScriptedResponse =
  | 'image'
  | 'no image'
  | 'damaged image'
  | 'until stopped'
  | ProviderFailure
  | ((call: { signal: AbortSignal }) => Promise<'image' | ProviderFailure>);

export const failureOf = (
  kind: ProviderFailure['kind'],
  code: ErrorCode = 'provider_unreachable',
  more: Partial<ProviderFailure> = {},
): ProviderFailure => ({
  kind,
  code,
  billing: ['uncertain', 'unusable', 'damaged'].includes(kind) ? 'possible' : 'none',
  message: `The provider answered: ${kind}.`,
  ...more,
});

interface Given {
  readonly request?: Partial<ImageRequest>;
  /** Results of the provider calls, in sequence. */
  readonly responses?: readonly ScriptedResponse[];
  /** Results of the language model calls, in sequence. */
  readonly descriptions?: readonly (
    | string
    | ProviderFailure
    | ((signal: AbortSignal) => Promise<ProviderFailure>)
  )[];
  readonly onUncertain?: 'retry' | 'fail';
  readonly onQuota?: 'wait' | 'fail';
  readonly maxPaidAttempts?: number;
  /** Number of refusals before the storage accepts an image. */
  readonly storageRefusals?: number;
  /** Name of the provider of new calls. Default `studio`. */
  readonly provider?: string;
  /** A real provider instead of the scripted one. */
  readonly realProvider?: ImageProvider;
  /** Decoders of further providers. */
  readonly decoders?: Readonly<Record<string, DecodeResponse>>;
  /** Called while a response waits for its memory slot. */
  readonly meanwhile?: () => Promise<void>;
}

/**
 * Creates one job and all parts that generate its images, over scripted ports in memory. Tests use it for the decisions
 * between the ports, because real parts would only be slower.
 */
export function generation(given: Given = {}) {
  const first = queuedJob({ request: given.request ?? {} });
  let job = first;
  let nowMs = createdAt + 1_000;
  const clock = () => nowMs;
  const calls: ImageCall[] = [];
  const enhancements: string[] = [];
  const stored = new Map<string, Buffer>();
  const puts: string[] = [];
  const spooled = new Map<
    string,
    { key: SpoolKey; entry: { head: SpoolHead; bytes: Buffer } | { version: number } }
  >();
  const scopesChecked: (readonly string[])[] = [];
  const blocked = new Map<string, BlockedScope>();
  const faults = {
    /** Number of responses that the disk refuses, and number of responses that it loses after the last byte. */
    spoolWrites: 0,
    spoolSyncs: 0,
    roomless: false,
    storage: given.storageRefusals ?? 0,
    /** Keys for which the storage throws an error that only a bug can cause. */
    storageKeys: new Set<string>(),
    /** Number of times that resetting the circuit breaker fails. */
    breakerResets: 0,
  };

  const updateJob: UpdateJob = async (_tenant, _id, next, known) => {
    await Promise.resolve();
    for (let base = known ?? job; ; base = job) {
      const after = next(base);
      if (after === null || after === base) return base;
      if (base.version !== job.version) continue;
      job = { ...after, version: job.version + 1 };
      return job;
    }
  };

  const name = (key: SpoolKey) => `${key.tenant}.${key.jobId}.${key.attemptNo}`;
  const spool: Spool = {
    async write(key, head, body) {
      if (faults.spoolWrites-- > 0) throw brokenDisk();
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      if (faults.spoolSyncs-- > 0) throw brokenDisk();
      spooled.set(name(key), { key, entry: { head, bytes: Buffer.concat(parts) } });
    },
    async open(key) {
      const entry = spooled.get(name(key))?.entry;
      if (!entry) return null;
      if ('version' in entry) return { format: 'unknown', version: entry.version };
      return { format: 'known', head: entry.head, body: oneChunk(entry.bytes) };
    },
    async remove(key) {
      spooled.delete(name(key));
    },
    async removeUnfinished() {},
    async *list() {
      for (const { key, entry } of spooled.values()) {
        if ('version' in entry) yield { key, format: 'unknown', version: entry.version };
        else yield { key, format: 'known', provider: entry.head.provider };
      }
    },
    hasRoom: async () => !faults.roomless,
  };

  const scripted: ImageProvider = {
    name: given.provider ?? 'studio',
    async generate(call, context, sink) {
      calls.push(call);
      const scripted = given.responses?.[calls.length - 1] ?? 'image';
      const response = typeof scripted === 'function' ? await scripted(context) : scripted;
      if (response === 'until stopped') {
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
        throw new ProviderError(failureOf('uncertain', 'provider_outcome_unknown'));
      }
      if (typeof response === 'object') throw new ProviderError(response);
      const head = { providerRequestId: `req_${calls.length}` };
      await sink(head, oneChunk(Buffer.from(`${response} of call ${calls.length}`)));
      return head;
    },
    decode,
  };

  const provider = given.realProvider ?? scripted;

  const enhancer: PromptEnhancer = {
    provider: 'studio',
    model: 'gpt-5.4-mini',
    async enhance(prompt, { signal }) {
      enhancements.push(prompt);
      const next = given.descriptions?.[enhancements.length - 1] ?? `${prompt}, in detail`;
      const scripted = typeof next === 'function' ? await next(signal) : next;
      if (typeof scripted !== 'string') throw new ProviderError(scripted);
      return { text: scripted, usage: { input_tokens: 400, output_tokens: 200, total_tokens: 600 } };
    },
  };

  const breaker: CircuitBreaker = {
    async findBlock(scopes) {
      scopesChecked.push(scopes);
      const found = scopes.map((scope) => blocked.get(scope)).find((block) => block && block.untilMs > nowMs);
      return found ?? null;
    },
    async open(scope, { code, forMs = 5_000 }) {
      blocked.set(scope, { scope, untilMs: nowMs + forMs, code });
    },
    async recordSuccess(scopes) {
      if (faults.breakerResets-- > 0) throw new AppError('store_unavailable');
      return scopes.filter((scope) => blocked.delete(scope));
    },
    reset: async (scope) => blocked.delete(scope),
    list: async () => [],
  };

  const storage: Pick<ImageStorage, 'put' | 'remove'> = {
    async put(key, bytes) {
      if (faults.storage-- > 0) throw brokenDisk();
      if (faults.storageKeys.has(key.replace(/^.*\//, ''))) throw new Error('a bug');
      puts.push(key);
      stored.set(key, bytes);
    },
    async remove(key) {
      stored.delete(key);
    },
  };

  const memorySlots = createSemaphore(1);
  const catalogue = builtInCatalogue();
  const findDecoder: FindDecoder = (name) =>
    given.decoders?.[name] ?? (name === 'studio' ? decode : given.realProvider?.decode);
  async function withMemorySlot<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
    await given.meanwhile?.();
    return memorySlots(work, signal);
  }
  const common = {
    clock,
    random: () => 0,
    sleep: async () => {},
    meter: idleMeter,
    log: silentLog,
    retentionOf: () => retention,
  };
  const policy = {
    onUncertain: given.onUncertain ?? 'retry',
    onQuota: given.onQuota ?? 'wait',
    maxPaidAttempts: given.maxPaidAttempts ?? 2,
  };
  const { runJob, recoverSpooledResponses } = createGeneration({
    records: { get: async () => job },
    updateJob,
    cancelProviderCalls: async () => {},
    provider,
    findDecoder,
    enhancer,
    breaker,
    spool,
    storage,
    catalogue,
    withMemorySlot,
    maxEarlyUploads: 1,
    policy,
    ...common,
  });
  const finalizeResponse = createFinalizeResponse({
    ...common,
    findDecoder,
    spool,
    storage,
    uploadImage: createUploadImage({ ...common, storage }),
    updateJob,
    catalogue,
    withMemorySlot,
  });

  return {
    calls,
    enhancements,
    stored,
    /** Keys of all stored images. A key occurs once per upload. */
    puts,
    spooled,
    faults,
    blocked,
    /** Scopes that were checked against the circuit breaker before each call. */
    scopesChecked,
    /** The only memory slot for an image from the spool. */
    memorySlots,
    recoverSpooledResponses,
    finalizeResponse,
    job: () => job,
    /** Changes the record, as other processes do. */
    set(next: (job: ImageJob) => ImageJob) {
      job = { ...next(job), version: job.version + 1 };
    },
    /** Stores a response in the spool, as a worker does that crashes after a paid call. */
    spoolBody(attemptNo: number, text = 'image from before', producer = 'studio') {
      const key = { tenant: job.tenant, jobId: job.id, attemptNo };
      const entry = { head: { provider: producer }, bytes: Buffer.from(text) };
      spooled.set(name(key), { key, entry });
    },
    /** Stores a spooled response with a version that only a newer release knows. */
    spoolUnknown(attemptNo: number) {
      const key = { tenant: job.tenant, jobId: job.id, attemptNo };
      spooled.set(name(key), { key, entry: { version: 2 } });
    },
    passTime(ms: number) {
      nowMs += ms;
    },
    /** Performs one run, as a worker does. */
    run: (signal: AbortSignal = new AbortController().signal) =>
      runJob({ tenant: job.tenant, id: job.id }, signal),
  };
}

function brokenDisk(): Error {
  return new AppError('storage_failed', { detail: 'The disk is read-only.' });
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Decodes the text of a response as its image. */
async function decode(body: AsyncIterable<Uint8Array>): Promise<DecodedResponse> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  const bytes = Buffer.concat(parts);
  if (bytes.toString().startsWith('damaged image'))
    throw new ProviderError(failureOf('damaged', 'provider_unusable_answer'));
  if (bytes.toString().startsWith('no image'))
    throw new ProviderError(failureOf('unusable', 'provider_unusable_answer'));
  return {
    image: { bytes, sha256: digestHex(bytes), contentType: 'image/png', width: 1024, height: 1024 },
    usage: { input_tokens: 18, output_tokens: 196, total_tokens: 214 },
    revisedPrompt: null,
  };
}
