import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import { type JobInput, pointerOf } from '../../domain/input-image.ts';
import type { InputSourceRecord, RequestedInput } from '../../domain/ports.ts';
import type { PrepareInputs } from '../inputs/prepare-inputs.ts';

interface Steps<Accepted> {
  create(inputs: readonly JobInput[]): ImageJob;
  /** Whether another request has created the same job, which has the same bytes. */
  exists(job: ImageJob): Promise<boolean>;
  /** @param sources the records from which inputs were copied. */
  accept(job: ImageJob, sources: readonly InputSourceRecord[]): Promise<Accepted>;
}

/**
 * Accepts a job after its inputs are checked and stored. A source may be deleted after its bytes were copied, so the store
 * checks the sources again in the step that writes the record. The bytes of a refused job are deleted, unless another request
 * has created the same job. If the store does not confirm the record, the job may exist, and the sweeper decides.
 */
export async function withStoredInputs<Accepted extends { readonly job: ImageJob }>(
  prepareInputs: PrepareInputs,
  request: { readonly tenant: string; readonly inputs: readonly RequestedInput[] },
  { create, exists, accept }: Steps<Accepted>,
): Promise<Accepted> {
  const prepared = await prepareInputs(request.tenant, request.inputs);
  try {
    const job = create(prepared.inputs);
    try {
      await prepared.store(job);
      const accepted = await accept(job, sourcesOf(request.inputs));
      await (accepted.job.id === job.id ? prepared.confirm(job) : prepared.discard(job)).catch(() => {});
      return accepted;
    } catch (error) {
      const mayExist = !(error instanceof AppError) || error.code === 'store_unavailable';
      // Bytes that stay are in the list of drafts. The caller needs the refusal.
      if (!mayExist && !(await exists(job).catch(() => true))) await prepared.discard(job).catch(() => {});
      throw error;
    }
  } finally {
    await prepared.release();
  }
}

/** Returns the records that hold the bytes of inputs, each once. A retry copies from the earlier job, not from its sources. */
function sourcesOf(inputs: readonly RequestedInput[]): InputSourceRecord[] {
  const sources = new Map<string, InputSourceRecord>();
  for (const input of inputs) {
    const { from } = input;
    if (from.kind === 'file' || from.kind === 'url') continue;
    const kind = from.kind === 'upload' ? 'upload' : 'job';
    const id = from.kind === 'job_input' ? from.jobId : from.id;
    if (!sources.has(id)) sources.set(id, { kind, id, pointer: pointerOf(input) });
  }
  return [...sources.values()];
}

/** Checks inputs and returns the facts about them. Stores nothing. */
export async function factsOfInputs(
  prepareInputs: PrepareInputs,
  { tenant, inputs }: { readonly tenant: string; readonly inputs: readonly RequestedInput[] },
): Promise<readonly JobInput[]> {
  const prepared = await prepareInputs(tenant, inputs);
  await prepared.release();
  return prepared.inputs;
}
