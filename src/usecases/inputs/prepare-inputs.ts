import { AppError } from '../../domain/errors.ts';
import {
  type InputFacts,
  type InputName,
  type InputSource,
  inputKeyOf,
  isStoredInput,
  type JobInput,
  overlayIssues,
  pointerOf,
} from '../../domain/input-image.ts';
import type {
  Clock,
  ImageInspector,
  ImageStorage,
  InputDrafts,
  InspectedImage,
  LocalFile,
  RequestedInput,
  Staging,
} from '../../domain/ports.ts';
import type { FindStoredInput } from './find-stored-input.ts';
import { factsOf, inputInvalid, inspectInput } from './inspect-input.ts';

interface Deps {
  storage: Pick<ImageStorage, 'putFile' | 'copy' | 'remove'>;
  staging: Pick<Staging, 'remove'>;
  inspector: ImageInspector;
  findStored: FindStoredInput;
  drafts: InputDrafts;
  clock: Clock;
}

type JobName = { readonly tenant: string; readonly id: string };

/** The inputs of one request: checked, and not yet stored with its job. */
export interface PreparedInputs {
  readonly inputs: readonly JobInput[];
  /** Writes the bytes into the folder of a job, whose record follows. After an error some may be there, see `discard`. */
  store(job: JobName): Promise<void>;
  /** Ends the preparation when the record of the job is written. */
  confirm(job: JobName): Promise<void>;
  /** Deletes the bytes of a job that was refused. */
  discard(job: JobName): Promise<void>;
  /** Removes temporary files. Must always be called. */
  release(): Promise<void>;
}

/** Bytes of an input before they are stored with the job. `null` for a URL, which a worker fetches. */
type Bytes = { readonly file: LocalFile } | { readonly key: string } | null;

interface Prepared {
  readonly input: JobInput;
  readonly bytes: Bytes;
  readonly rewritten?: LocalFile;
}

/**
 * Checks the inputs of a request and finds their bytes. Nothing is stored, so that a request with a faulty input leaves
 * nothing behind.
 *
 * @throws AppError `input_invalid` with a pointer.
 */
export function createPrepareInputs(deps: Deps) {
  async function prepareFile(
    name: InputName,
    from: { file: LocalFile; type: 'data' | 'multipart' },
  ): Promise<Prepared> {
    const inspected = await inspectInput(deps, name, from.file);
    const input = { ...name, source: { type: from.type }, ...factsOf(inspected) };
    return { input, bytes: { file: inspected.file }, ...rewrittenOf(inspected) };
  }

  async function prepareOne(tenant: string, { from, role, index }: RequestedInput): Promise<Prepared> {
    const name = { role, index };
    if (from.kind === 'file') return prepareFile(name, from);
    if (from.kind === 'url')
      return { input: { ...name, source: { type: 'url', url: from.url } }, bytes: null };
    const found = await deps.findStored(tenant, name, from);
    return {
      input: inputOf(name, found.source, found.facts),
      bytes: found.key === null ? null : { key: found.key },
    };
  }

  async function prepareAll(tenant: string, requested: readonly RequestedInput[], into: Prepared[]) {
    // One after the other, because each decodes a whole image and the first fault ends the request.
    for (const each of requested) into.push(await prepareOne(tenant, each));
    const issues = overlayIssues(into.map(({ input }) => input));
    const [first] = issues;
    if (first) {
      throw new AppError('input_invalid', { detail: `${first.pointer} ${first.detail}.`, issues });
    }
  }

  async function storeOne(job: JobName, { input, bytes }: Prepared): Promise<void> {
    const key = inputKeyOf(job, input);
    if (bytes === null || !isStoredInput(input)) return;
    const { contentType } = input;
    if ('file' in bytes) return deps.storage.putFile(key, bytes.file, { contentType });
    if (await deps.storage.copy(bytes.key, key, { contentType })) return;
    throw inputInvalid(pointerOf(input), 'The file is not stored any more.');
  }

  async function discard(prepared: readonly Prepared[], job: JobName): Promise<void> {
    for (const { input } of prepared) await deps.storage.remove(inputKeyOf(job, input));
    await deps.drafts.remove(job.tenant, job.id);
  }

  async function release(prepared: readonly Prepared[]): Promise<void> {
    for (const { rewritten } of prepared) if (rewritten) await deps.staging.remove(rewritten);
  }

  return async (tenant: string, requested: readonly RequestedInput[]): Promise<PreparedInputs> => {
    const prepared: Prepared[] = [];
    try {
      await prepareAll(tenant, requested, prepared);
    } catch (error) {
      await release(prepared);
      throw error;
    }
    return {
      inputs: prepared.map(({ input }) => input),
      async store(job) {
        await deps.drafts.add(job.tenant, job.id, deps.clock());
        for (const each of prepared) await storeOne(job, each);
      },
      confirm: (job) => deps.drafts.remove(job.tenant, job.id),
      discard: (job) => discard(prepared, job),
      release: () => release(prepared),
    };
  };
}
export type PrepareInputs = ReturnType<typeof createPrepareInputs>;

const rewrittenOf = ({ isRewritten, file }: InspectedImage) => (isRewritten ? { rewritten: file } : {});

const inputOf = (name: InputName, source: InputSource, facts: InputFacts | null): JobInput => ({
  ...name,
  source,
  ...facts,
});
