import { AppError, type ErrorCode } from '../../src/domain/errors.ts';
import type { ImageJob } from '../../src/domain/image-job.ts';
import type { ImageRequest } from '../../src/domain/image-request.ts';
import {
  type BlockedScope,
  type CircuitBreaker,
  type DecodedResponse,
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
import { createCallProvider } from '../../src/usecases/generation/call-provider.ts';
import { createEarlyUpload } from '../../src/usecases/generation/early-upload.ts';
import { createExpandPrompt } from '../../src/usecases/generation/expand-prompt.ts';
import { createFinalizeResponse } from '../../src/usecases/generation/finalize-response.ts';
import { createGenerateImage } from '../../src/usecases/generation/generate-image.ts';
import { createRunJob } from '../../src/usecases/generation/run-job.ts';
import { createSpoolResponse } from '../../src/usecases/generation/spool-response.ts';
import { createUploadImage } from '../../src/usecases/generation/upload-image.ts';
import type { UpdateJob } from '../../src/usecases/jobs/update-job.ts';
import { builtInCatalogue } from './catalogue.ts';
import { createdAt, idleMeter, queuedJob, retention, silentLog } from './jobs.ts';

/** What the scripted provider does with one call. */
export type Response_ =
  | 'image'
  | 'no image'
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
  billing: kind === 'uncertain' || kind === 'unusable' ? 'possible' : 'none',
  message: `The provider answered: ${kind}.`,
  ...more,
});

interface Given {
  readonly request?: Partial<ImageRequest>;
  /** What the provider does with the first call, the second, and so on. */
  readonly responses?: readonly Response_[];
  /** What the language model does with each call. */
  readonly descriptions?: readonly (
    | string
    | ProviderFailure
    | ((signal: AbortSignal) => Promise<ProviderFailure>)
  )[];
  readonly onUncertain?: 'retry' | 'fail';
  readonly onQuota?: 'wait' | 'fail';
  readonly maxPaidAttempts?: number;
  /** How often the storage refuses before it takes an image. */
  readonly storageRefusals?: number;
  /** What happens while an answer waits for its place in memory. */
  readonly meanwhile?: () => Promise<void>;
}

/**
 * One job and everything that makes its images, over ports in memory that do what a script says: for the decisions
 * between the ports, which real parts would only make slow.
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
  const spooled = new Map<string, { head: SpoolHead; bytes: Buffer }>();
  const scopesChecked: (readonly string[])[] = [];
  const closed = new Map<string, BlockedScope>();
  const faults = {
    /** Answers of which the disk takes nothing, and answers that it loses after the last byte. */
    spoolWrites: 0,
    spoolSyncs: 0,
    roomless: false,
    storage: given.storageRefusals ?? 0,
    /** Keys at which the storage fails as only a fault in the program does. */
    storageKeys: new Set<string>(),
    /** How often the gate cannot be told that a lane works again. */
    breakerResets: 0,
  };

  const change: UpdateJob = async (_tenant, _id, next, known) => {
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
      spooled.set(name(key), { head, bytes: Buffer.concat(parts) });
    },
    async open(key) {
      const found = spooled.get(name(key));
      return found ? { format: 'known', head: found.head, body: oneChunk(found.bytes) } : null;
    },
    async remove(key) {
      spooled.delete(name(key));
    },
    async *list() {},
    hasRoom: async () => !faults.roomless,
  };

  const provider: ImageProvider = {
    name: 'studio',
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
    async decode(body): Promise<DecodedResponse> {
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      const bytes = Buffer.concat(parts);
      if (bytes.toString().startsWith('no image'))
        throw new ProviderError(failureOf('unusable', 'provider_unusable_answer'));
      return {
        image: { bytes, sha256: digestHex(bytes), contentType: 'image/png', width: 1024, height: 1024 },
        usage: { input_tokens: 18, output_tokens: 196, total_tokens: 214 },
        revisedPrompt: null,
      };
    },
  };

  const enhancer: PromptEnhancer = {
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
      const found = scopes.map((scope) => closed.get(scope)).find((scope) => scope && scope.untilMs > nowMs);
      return found ?? null;
    },
    async close(scope, until) {
      closed.set(scope, until);
    },
    async suspect(scope, code) {
      closed.set(scope, { untilMs: nowMs + 5_000, code });
    },
    failureOf: async (scope) => closed.get(scope)?.code ?? null,
    async open(scope) {
      if (faults.breakerResets-- > 0) throw new AppError('store_unavailable');
      closed.delete(scope);
    },
  };

  const storage: Pick<ImageStorage, 'put' | 'remove'> = {
    async put(key, bytes) {
      if (faults.storage-- > 0) throw brokenDisk();
      if (faults.storageKeys.has(key.replace(/^.*\//, ''))) throw new Error('a fault of ours');
      puts.push(key);
      stored.set(key, bytes);
    },
    async remove(key) {
      stored.delete(key);
    },
  };

  const shared = { clock, random: () => 0, meter: idleMeter, log: silentLog, spool, breaker, provider };
  const catalogue = builtInCatalogue();
  const inMemory = createSemaphore(1);
  const uploadImage = createUploadImage({
    ...shared,
    storage,
    sleep: async () => {},
  });
  const finalizeResponse = createFinalizeResponse({
    ...shared,
    storage,
    uploadImage,
    change,
    catalogue,
    async inMemory(work, signal) {
      await given.meanwhile?.();
      return inMemory(work, signal);
    },
    retentionOf: () => retention,
  });
  const generateImage = createGenerateImage({
    ...shared,
    catalogue,
    callProvider: createCallProvider({
      ...shared,
      catalogue,
      spoolResponse: createSpoolResponse({
        ...shared,
        startEarlyUpload: createEarlyUpload({ provider, uploadImage }, 1),
      }),
    }),
    finalizeResponse,
    policy: {
      onUncertain: given.onUncertain ?? 'retry',
      onQuota: given.onQuota ?? 'wait',
      maxPaidAttempts: given.maxPaidAttempts ?? 2,
    },
  });
  const expandPrompt = createExpandPrompt({
    ...shared,
    enhancer,
    catalogue,
    policy: { onUncertain: given.onUncertain ?? 'retry' },
  });
  const generate = createRunJob({
    sleep: async () => {},
    ...shared,
    records: { get: async () => job },
    change,
    cancelProviderCalls: async () => {},
    expandPrompt,
    generateImage,
    retentionOf: () => retention,
  });

  return {
    calls,
    enhancements,
    stored,
    /** Keys of all images that the storage took, each as often as it did. */
    puts,
    spooled,
    faults,
    closed,
    /** What the gate was asked for before each call. */
    scopesChecked,
    /** The only place in memory for an image from the spool. */
    inMemory,
    finalizeResponse,
    job: () => job,
    /** Puts the record into another state, as other processes do. */
    set(next: (job: ImageJob) => ImageJob) {
      job = { ...next(job), version: job.version + 1 };
    },
    /** Leaves an answer in the spool, as a worker that died after paying does. */
    spoolBody(attemptNo: number, text = 'image from before') {
      spooled.set(name({ tenant: job.tenant, jobId: job.id, attemptNo }), {
        head: { provider: 'studio' },
        bytes: Buffer.from(text),
      });
    },
    passTime(ms: number) {
      nowMs += ms;
    },
    /** One execution, as a worker makes it. */
    run: (signal: AbortSignal = new AbortController().signal) =>
      generate({ tenant: job.tenant, id: job.id }, signal),
  };
}

function brokenDisk(): Error {
  return new AppError('storage_failed', { detail: 'The disk is read-only.' });
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
