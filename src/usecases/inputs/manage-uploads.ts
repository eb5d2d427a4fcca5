import { type Author, auditEntryOf } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import { extensionOf } from '../../domain/image.ts';
import { linkTimes } from '../../domain/link-times.ts';
import type { AuditLog, Clock, ImageStorage, Uploads } from '../../domain/ports.ts';
import { type Upload, uploadKeyOf } from '../../domain/upload.ts';

interface Deps {
  uploads: Uploads;
  audit: Pick<AuditLog, 'appendErasure'>;
  storage: Pick<ImageStorage, 'isServedHere' | 'link' | 'read' | 'remove'>;
  clock: Clock;
  linkSeconds: number;
}

/** Content of an upload: a URL to redirect to, or the bytes if Darkroom serves them. */
export type UploadContent =
  | { readonly kind: 'redirect'; readonly url: string }
  | {
      readonly kind: 'bytes';
      readonly upload: Upload;
      readonly fileName: string;
      readonly body: AsyncIterable<Uint8Array>;
      readonly sizeBytes: number;
    };

/** Reads, lists and deletes uploads. @throws AppError `not_found`, also for uploads of another tenant and expired ones. */
export function createManageUploads(deps: Deps) {
  const { uploads, storage, clock } = deps;

  async function get(tenant: string, id: string): Promise<Upload> {
    const upload = await uploads.get(tenant, id);
    if (upload && upload.expiresAt > clock()) return upload;
    throw notFound();
  }

  return {
    get,

    async list(tenant: string, query: { limit: number; beforeId?: string | undefined }) {
      const page = await uploads.list(tenant, query);
      return { ...page, uploads: page.uploads.filter(({ expiresAt }) => expiresAt > clock()) };
    },

    async open(tenant: string, id: string): Promise<UploadContent> {
      const upload = await get(tenant, id);
      const fileName = `${id}.${extensionOf(upload.contentType)}`;
      const key = uploadKeyOf(upload);
      if (!storage.isServedHere) {
        const times = linkTimes(clock(), deps.linkSeconds, upload.expiresAt);
        const { contentType } = upload;
        return { kind: 'redirect', url: await storage.link(key, { ...times, contentType, fileName }) };
      }
      const stored = await storage.read(key);
      if (!stored) throw new AppError('not_found', { detail: 'The upload is not stored any more.' });
      return { kind: 'bytes', upload, fileName, ...stored };
    },

    /**
     * Deletes an upload. Jobs that used it keep their copies. The bytes go first, because the record finds them. The record
     * of an expired upload is deleted too, because a job that began with it could still be accepted.
     */
    async remove({ tenant, actor }: Author, id: string): Promise<void> {
      const upload = await uploads.get(tenant, id);
      if (!upload) throw notFound();
      const isExpired = upload.expiresAt <= clock();
      const entry = { at: clock(), tenant, action: 'upload.deleted', target: id } as const;
      if (!isExpired) await deps.audit.appendErasure(tenant, auditEntryOf(actor, entry));
      await storage.remove(uploadKeyOf(upload));
      await uploads.remove(tenant, id);
      if (isExpired) throw notFound();
    },
  };
}
const notFound = () => new AppError('not_found', { detail: 'There is no upload with this id.' });

export type ManageUploads = ReturnType<typeof createManageUploads>;
