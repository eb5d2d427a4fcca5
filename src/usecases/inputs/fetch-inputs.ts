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
import { factsOf, inputInvalid, inspectInput } from './inspect-input.ts';

interface Deps {
  fetcher: InputFetcher;
  inspector: ImageInspector;
  storage: Pick<ImageStorage, 'putFile'>;
  staging: Pick<Staging, 'remove'>;
}

/**
 * Fetches the inputs of a job whose bytes are not stored yet, checks them like every other input and stores them. Repeatable:
 * it stores equal bytes under equal keys.
 *
 * @returns all inputs of the job with their facts.
 * @throws AppError `input_unavailable`, `input_invalid`
 */
export function createFetchInputs(deps: Deps) {
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

  async function fetchOne(job: ImageJob, input: JobInput, signal: AbortSignal): Promise<JobInput> {
    const { url } = input.source;
    if (url === undefined) throw inputInvalid(pointerOf(input), 'The input has no address.');
    const file = await deps.fetcher.fetch(url, signal).catch((error: unknown) => {
      throw named(error, input);
    });
    try {
      return await store(job, input, file);
    } finally {
      await deps.staging.remove(file);
    }
  }

  return async (job: ImageJob, signal: AbortSignal): Promise<JobInput[]> => {
    const inputs: JobInput[] = [];
    for (const input of job.inputs ?? []) {
      inputs.push(isStoredInput(input) ? input : await fetchOne(job, input, signal));
    }
    const [issue] = overlayIssues(inputs);
    if (issue) throw inputInvalid(issue.pointer, `${issue.pointer} ${issue.detail}.`);
    return inputs;
  };
}
export type FetchInputs = ReturnType<typeof createFetchInputs>;

function named(error: unknown, input: JobInput): unknown {
  if (!(error instanceof AppError) || error.code !== 'input_unavailable') return error;
  return new AppError('input_unavailable', {
    detail: `${pointerOf(input)}: ${error.message}`,
    cause: error.cause,
  });
}
