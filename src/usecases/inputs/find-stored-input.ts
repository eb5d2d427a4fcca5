import { AppError } from '../../domain/errors.ts';
import type { ImageJob } from '../../domain/image-job.ts';
import {
  type InputFacts,
  type InputName,
  type InputSource,
  inputContentTypes,
  inputKeyOf,
  isStoredInput,
  maxInputBytes,
  pointerOf,
} from '../../domain/input-image.ts';
import { isMediaGone } from '../../domain/job-deadlines.ts';
import { isKnown } from '../../domain/open.ts';
import type {
  Clock,
  ImageInspector,
  ImageStorage,
  InputOrigin,
  JobStore,
  Staging,
  Uploads,
} from '../../domain/ports.ts';
import { uploadKeyOf } from '../../domain/upload.ts';
import { inputInvalid, inspectInput } from './inspect-input.ts';

interface Deps {
  records: Pick<JobStore, 'get'>;
  uploads: Uploads;
  storage: Pick<ImageStorage, 'read'>;
  staging: Staging;
  inspector: ImageInspector;
  clock: Clock;
}

/** Bytes that the storage already has. */
export interface FoundInput {
  readonly source: InputSource;
  /** `null` for a URL that a retry has to fetch again. */
  readonly key: string | null;
  readonly facts: InputFacts | null;
}

/**
 * Finds the bytes of an upload, of an image of an earlier job, or of an input of an earlier job. Their content was checked
 * when they were stored. Only masks and markups are decoded again, because their alpha channel matters.
 *
 * @throws AppError `input_invalid` if there is none.
 */
export function createFindStoredInput(deps: Deps) {
  async function inUpload(tenant: string, name: InputName, id: string): Promise<FoundInput> {
    const upload = await deps.uploads.get(tenant, id);
    if (!upload || upload.expiresAt <= deps.clock()) {
      throw inputInvalid(pointerOf(name), `There is no upload ${id}. It may have expired.`);
    }
    return { source: { type: 'upload', uploadId: id }, key: uploadKeyOf(upload), facts: factsIn(upload) };
  }

  async function inJob(tenant: string, id: string): Promise<ImageJob | null> {
    const job = await deps.records.get(tenant, id);
    return job && job.erasedAt === undefined && !isMediaGone(job, deps.clock()) ? job : null;
  }

  async function inImage(
    tenant: string,
    name: InputName,
    { id, index }: { id: string; index: number },
  ): Promise<FoundInput> {
    const job = await inJob(tenant, id);
    const image = job?.images.find((each) => each.index === index);
    const pointer = pointerOf(name);
    if (!image) throw inputInvalid(pointer, `There is no image ${index} of a job ${id}. It may be deleted.`);
    if (!isKnown(inputContentTypes, image.contentType)) {
      throw inputInvalid(
        pointer,
        `The image is ${image.contentType}. Only PNG, JPEG and WebP can be edited.`,
      );
    }
    return { source: { type: 'image', imageId: id, index }, key: image.storageKey, facts: factsIn(image) };
  }

  async function inInputs(
    tenant: string,
    name: InputName,
    { jobId, source }: { jobId: string; source: InputSource },
  ): Promise<FoundInput> {
    const job = await inJob(tenant, jobId);
    const input = job?.inputs?.find(({ role, index }) => role === name.role && index === name.index);
    if (job && input && isStoredInput(input))
      return { source, key: inputKeyOf(job, input), facts: factsIn(input) };
    if (source.type === 'url') return { source, key: null, facts: null };
    throw new AppError('erased', {
      detail: 'The inputs of the job are deleted. Send them again with a new request.',
    });
  }

  /** Decodes an overlay again. The file that was checked before had no rules for its alpha channel. */
  async function checkOverlay(tenant: string, name: InputName, key: string): Promise<void> {
    const stored = await deps.storage.read(key);
    if (!stored) throw inputInvalid(pointerOf(name), 'The file is not stored any more.');
    const file = await deps.staging.write(stored.body, { maxBytes: maxInputBytes, tenant });
    try {
      const { isRewritten, file: rewritten } = await inspectInput(deps, name, file);
      if (isRewritten) await deps.staging.remove(rewritten);
    } finally {
      await deps.staging.remove(file);
    }
  }

  return async (
    tenant: string,
    name: InputName,
    from: Exclude<InputOrigin, { kind: 'file' | 'url' }>,
  ): Promise<FoundInput> => {
    if (from.kind === 'job_input') return inInputs(tenant, name, from);
    const found = await (from.kind === 'upload'
      ? inUpload(tenant, name, from.id)
      : inImage(tenant, name, from));
    if (name.role !== 'image' && found.key !== null) await checkOverlay(tenant, name, found.key);
    return found;
  };
}
export type FindStoredInput = ReturnType<typeof createFindStoredInput>;

/** Returns the facts of a larger record. */
const factsIn = ({ contentType, width, height, sizeBytes, sha256 }: InputFacts): InputFacts => ({
  contentType,
  width,
  height,
  sizeBytes,
  sha256,
});
