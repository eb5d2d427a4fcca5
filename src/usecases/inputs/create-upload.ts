import { AppError } from '../../domain/errors.ts';
import type {
  Clock,
  Ids,
  ImageInspector,
  ImageStorage,
  InputDrafts,
  LocalFile,
  Staging,
  Uploads,
} from '../../domain/ports.ts';
import { type Upload, uploadKeyOf } from '../../domain/upload.ts';
import { factsOf, naming } from './inspect-input.ts';

interface Deps {
  uploads: Uploads;
  drafts: InputDrafts;
  storage: Pick<ImageStorage, 'putFile' | 'remove'>;
  staging: Pick<Staging, 'remove'>;
  inspector: ImageInspector;
  ids: Pick<Ids, 'upload'>;
  clock: Clock;
  policy: UploadPolicy;
}

/** Limits of a deployment for uploads. */
export interface UploadPolicy {
  readonly ttlMs: number;
  /** Maximum size of all uploads of one tenant. */
  readonly maxBytesPerTenant: number;
}

/**
 * Stores a file as an upload. The caller removes the given file. Bytes whose record cannot be written are removed by the
 * sweeper.
 *
 * @param options.pointer the request field of the file.
 * @throws AppError `input_invalid`, `too_many_uploads`
 */
export function createCreateUpload(deps: Deps) {
  async function store(tenant: string, file: LocalFile, facts: ReturnType<typeof factsOf>): Promise<Upload> {
    const { uploads, drafts, storage, policy } = deps;
    const nowMs = deps.clock();
    const id = deps.ids.upload(nowMs);
    const upload: Upload = {
      version: 1,
      id,
      tenant,
      createdAt: nowMs,
      expiresAt: nowMs + policy.ttlMs,
      ...facts,
    };
    const key = uploadKeyOf(upload);
    await drafts.add(tenant, id, nowMs);
    await storage.putFile(key, file, { contentType: facts.contentType });
    if (await uploads.create(upload, { maxBytes: policy.maxBytesPerTenant })) return upload;
    await storage.remove(key);
    await drafts.remove(tenant, id);
    throw new AppError('too_many_uploads', {
      detail: `The uploads of this tenant have ${policy.maxBytesPerTenant} bytes at most. Delete some or wait until they expire.`,
    });
  }

  return async (tenant: string, file: LocalFile, options: { readonly pointer: string }): Promise<Upload> => {
    const inspected = await naming(options.pointer, () =>
      deps.inspector.inspect(file, { findTransparency: false }),
    );
    try {
      return await store(tenant, inspected.file, factsOf(inspected));
    } finally {
      if (inspected.isRewritten) await deps.staging.remove(inspected.file);
    }
  };
}
export type CreateUpload = ReturnType<typeof createCreateUpload>;
