import { z } from 'zod';
import { isoTime } from './iso-time.ts';
import { storedObject } from './stored.ts';

/** A file that a caller stored to use as an input of jobs. Jobs copy its bytes. */
export const Upload = storedObject({
  version: z.int(),
  id: z.string(),
  tenant: z.string(),
  createdAt: z.number(),
  /** When the upload is deleted. Jobs that used it keep their copies. */
  expiresAt: z.number(),
  contentType: z.string(),
  width: z.int(),
  height: z.int(),
  sizeBytes: z.int(),
  sha256: z.string(),
  /** Name that the caller gave the file. */
  fileName: z.string().optional(),
  /** Purpose that a client of OpenAI's API named. */
  purpose: z.string().optional(),
});
export type Upload = z.infer<typeof Upload>;

/** An upload on the wire. */
export const UploadView = z
  .object({
    id: z.string(),
    object: z.literal('upload'),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().describe('Time at which the upload is deleted.'),
    content_type: z.string(),
    width: z.int().describe('Width in pixels, after orientation.'),
    height: z.int().describe('Height in pixels, after orientation.'),
    size_bytes: z.int(),
    sha256: z.string().describe('Digest of the stored bytes, in hexadecimal.'),
  })
  .describe('A stored file that jobs can use as an input.');
export type UploadView = z.infer<typeof UploadView>;

/** Returns the view of an upload. */
export function viewUpload(upload: Upload): UploadView {
  return {
    id: upload.id,
    object: 'upload',
    created_at: isoTime(upload.createdAt),
    expires_at: isoTime(upload.expiresAt),
    content_type: upload.contentType,
    width: upload.width,
    height: upload.height,
    size_bytes: upload.sizeBytes,
    sha256: upload.sha256,
  };
}

/** Returns the storage key of an upload. */
export function uploadKeyOf({ tenant, id }: Pick<Upload, 'tenant' | 'id'>): string {
  return `${tenant}/${id}/original.bin`;
}
