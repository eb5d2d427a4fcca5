import type { FastifyRequest } from 'fastify';
import type { ImageJob } from '../../../domain/image-job.ts';
import type { ExpectedBytes } from '../../../lib/shared-bytes.ts';
import type { Jobs } from '../../../usecases/jobs/index.ts';
import type { Addresses } from '../addresses.ts';
import type { ImageSource } from './images-response.ts';
import type { ResponseForm } from './map-request.ts';
import { openStored } from './open-stored.ts';

interface Deps {
  readonly jobs: Pick<Jobs, 'readImage' | 'presentJob'>;
  readonly addresses: Addresses;
  readonly linkSeconds: number;
}

interface Waiting {
  readonly format: ResponseForm['format'];
  readonly expected: ExpectedBytes;
  /** Aborts when no caller waits for the response any more. */
  readonly gone: AbortSignal;
}

/** Creates a function that returns the sources of a job's images: signed links, or the bytes in the storage. */
export function createImageSources({ jobs, addresses, linkSeconds }: Deps) {
  return async (
    request: FastifyRequest,
    job: ImageJob,
    { format, expected, gone }: Waiting,
  ): Promise<readonly ImageSource[]> => {
    const open = async (storageKey: string) => {
      const bytes = expected.find(storageKey);
      return bytes ? chunksOf(bytes) : openStored(jobs.readImage, storageKey, gone);
    };
    const images = job.images.toSorted((a, b) => a.index - b.index);
    if (format === 'b64_json') return images.map((image) => ({ image, open: () => open(image.storageKey) }));
    const view = await jobs.presentJob(job, {
      publicUrl: addresses.publicUrlOf(request),
      linkSeconds,
      withPosition: false,
    });
    const urls = new Map(view.images.map(({ index, url }) => [index, url ?? undefined]));
    return images.map((image) => ({
      image,
      url: urls.get(image.index),
      open: () => open(image.storageKey),
    }));
  };
}

/** Size of a chunk. Its base64 text has 64 KiB. */
const chunkBytes = 48 * 1024;

async function* chunksOf(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
