import type { ImageJob } from '../../domain/image-job.ts';
import { inputKeyOf, isStoredInput } from '../../domain/input-image.ts';
import type { CallInput, ImageStorage } from '../../domain/ports.ts';

/** Returns the inputs of a job's calls. Their bytes are read from the storage when the provider sends them. */
export function callInputsOf(job: ImageJob, storage: Pick<ImageStorage, 'read'>): CallInput[] {
  return (job.inputs ?? []).flatMap((input) => {
    if (!isStoredInput(input)) return [];
    const { role, index, contentType, sizeBytes } = input;
    const open = async () => (await storage.read(inputKeyOf(job, input)))?.body ?? null;
    return [{ role, index, contentType, sizeBytes, open }];
  });
}
