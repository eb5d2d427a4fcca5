import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import {
  inputKeyOf,
  isStoredInput,
  type JobInput,
  overlayIssues,
  pointerOf,
} from '../../domain/input-image.ts';
import type { ImageInspector, ImageStorage, InputFetcher, LocalFile, Staging } from '../../domain/ports.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { factsOf, inputInvalid, inspectInput } from './inspect-input.ts';

interface Deps {
  fetcher: InputFetcher;
  inspector: ImageInspector;
  storage: Pick<ImageStorage, 'putFile'>;
  staging: Pick<Staging, 'remove'>;
  /** Maximum time for which a job waits for its addresses, with all tries, in milliseconds. Default 60,000. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 60_000;
/** Number of addresses of a job that are fetched at the same time. */
const maxConcurrent = 4;

/** One of the sequences of fetches that run at the same time. */
interface Lane {
  /** Ends all fetches of the job. */
  readonly stopped: AbortSignal;
  /** Remaining time for waits, in milliseconds. */
  leftMs: number;
}

/**
 * Fetches the inputs of a job whose bytes are not stored yet, checks them like every other input and stores them. The waits
 * for all addresses have one limit, because the job occupies a slot of the worker. The time in which an image waits for its check
 * and is checked does not count, because the address is not the reason. The first failure ends the other fetches. Repeatable: it
 * stores equal bytes under equal keys.
 *
 * @returns all inputs of the job with their facts.
 * @throws AppError `input_unavailable`, `input_invalid`. Their messages begin with the pointer of the input.
 */
export function createFetchInputs(deps: Deps) {
  const { timeoutMs = defaultTimeoutMs } = deps;

  async function store(job: ImageJob, input: JobInput, file: LocalFile): Promise<JobInput> {
    const inspected = await inspectInput(deps, input, file);
    try {
      const facts = factsOf(inspected);
      await deps.storage.putFile(inputKeyOf(job, input), inspected.file, facts);
      return { ...input, ...facts };
    } finally {
      if (inspected.isRewritten) await deps.staging.remove(inspected.file);
    }
  }

  /** Waits for one address, in the time that the lane has left. */
  async function receive(url: string, tenant: string, lane: Lane): Promise<LocalFile> {
    if (lane.stopped.aborted || lane.leftMs <= 0) throw late();
    const startedAt = performance.now();
    const { signal, release } = startDeadline(lane.stopped, lane.leftMs);
    try {
      return await deps.fetcher.fetch(url, { tenant, signal });
    } finally {
      release();
      lane.leftMs -= performance.now() - startedAt;
    }
  }

  async function fetchOne(job: ImageJob, input: JobInput, lane: Lane): Promise<JobInput> {
    const { url } = input.source;
    if (url === undefined) throw inputInvalid(pointerOf(input), 'The input has no address.');
    const file = await receive(url, job.tenant, lane);
    try {
      return await store(job, input, file);
    } finally {
      await deps.staging.remove(file);
    }
  }

  /** Fetches the missing inputs. After a failure no further fetch begins. */
  async function fetchAll(job: ImageJob, inputs: readonly JobInput[], outer: AbortSignal) {
    const work = startDeadline(outer, Number.POSITIVE_INFINITY);
    const fetched = [...inputs];
    const failures: unknown[] = [];
    const missing = inputs.entries();
    const fetchNext = async () => {
      const lane = { stopped: work.signal, leftMs: timeoutMs };
      for (const [at, input] of missing) {
        if (isStoredInput(input)) continue;
        try {
          fetched[at] = await fetchOne(job, input, lane);
        } catch (error) {
          failures.push(named(error, input));
          work.stop();
        }
      }
    };
    await Promise.all(Array.from({ length: maxConcurrent }, fetchNext));
    work.release();
    if (failures.length > 0) throw failures[0];
    return fetched;
  }

  return async (job: ImageJob, signal: AbortSignal): Promise<JobInput[]> => {
    const inputs = await fetchAll(job, job.inputs ?? [], signal);
    const [issue] = overlayIssues(inputs);
    if (issue) throw inputInvalid(issue.pointer, `${issue.pointer} ${issue.detail}.`);
    return inputs;
  };
}
export type FetchInputs = ReturnType<typeof createFetchInputs>;

const late = () => new AppError('input_unavailable', { detail: 'The address did not arrive in time.' });

/** Names the input in the message, because the error of a job has no pointer. */
function named(error: unknown, input: JobInput): unknown {
  if (!(error instanceof AppError)) return error;
  const { code, message, issues, members, cause } = error;
  if (code !== 'input_unavailable' && code !== 'input_invalid') return error;
  return new AppError(code, { detail: `${pointerOf(input)}: ${message}`, issues, members, cause });
}
