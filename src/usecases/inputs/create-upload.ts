import { AppError } from '../../domain/errors.ts';
import type {
  CheckRoom,
  Clock,
  Ids,
  ImageInspector,
  ImageStorage,
  InputDrafts,
  LocalFile,
  Staging,
  UploadLimits,
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
  checkRoom: CheckRoom;
  ids: Pick<Ids, 'upload'>;
  clock: Clock;
  policy: UploadPolicy;
}

/** Limits of a deployment for uploads. */
export interface UploadPolicy {
  readonly ttlMs: number;
  readonly perTenant: UploadLimits;
}

/** Description of a file by its caller. */
export interface UploadOptions extends Pick<Upload, 'fileName' | 'purpose'> {
  /** Pointer of the request field of the file. */
  readonly pointer: string;
  /** Time until the upload is deleted, at most that of the deployment. */
  readonly ttlMs?: number | undefined;
}

/**
 * Stores a file as an upload. The caller removes the given file. Bytes whose record cannot be written are removed by the
 * sweeper.
 *
 * @throws AppError `input_invalid`, `too_many_uploads`, `store_full`
 */
export function createCreateUpload(deps: Deps) {
  function describe(tenant: string, facts: ReturnType<typeof factsOf>, options: UploadOptions): Upload {
    const { fileName, purpose, ttlMs = deps.policy.ttlMs } = options;
    const nowMs = deps.clock();
    return {
      version: 1,
      id: deps.ids.upload(nowMs),
      tenant,
      createdAt: nowMs,
      expiresAt: nowMs + Math.min(ttlMs, deps.policy.ttlMs),
      ...facts,
      ...(fileName === undefined ? {} : { fileName }),
      ...(purpose === undefined ? {} : { purpose }),
    };
  }

  async function store(upload: Upload, file: LocalFile): Promise<Upload> {
    const { uploads, drafts, storage, policy } = deps;
    const { tenant, id, contentType } = upload;
    const key = uploadKeyOf(upload);
    await drafts.add(tenant, id, upload.createdAt);
    await storage.putFile(key, file, { contentType });
    if (await uploads.create(upload, policy.perTenant)) return upload;
    await storage.remove(key);
    await drafts.remove(tenant, id);
    const { maxBytes, maxCount } = policy.perTenant;
    throw new AppError('too_many_uploads', {
      detail: `This tenant has at most ${maxCount} uploads with ${maxBytes} bytes. Delete some or wait until they expire.`,
    });
  }

  return async (tenant: string, file: LocalFile, options: UploadOptions): Promise<Upload> => {
    deps.checkRoom();
    const inspected = await naming(options.pointer, () =>
      deps.inspector.inspect(file, { findTransparency: false }),
    );
    try {
      return await store(describe(tenant, factsOf(inspected), options), inspected.file);
    } finally {
      if (inspected.isRewritten) await deps.staging.remove(inspected.file);
    }
  };
}
export type CreateUpload = ReturnType<typeof createCreateUpload>;
