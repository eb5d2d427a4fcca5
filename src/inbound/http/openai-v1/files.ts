import { z } from 'zod';
import { extensionOf } from '../../../domain/image.ts';
import type { Upload } from '../../../domain/upload.ts';

/** Uploads in the form of OpenAI's files. */

/** Purposes of files that can be inputs of edits. */
export const filePurposes = ['vision', 'user_data'] as const;

export const FileExpiry = z
  .strictObject({
    anchor: z.literal('created_at').describe('Time from which the seconds count.'),
    seconds: z.int().min(3_600).max(2_592_000).describe('Seconds until the file is deleted.'),
  })
  .describe('Deletes a file earlier than `UPLOAD_TTL_S` of the deployment.');

/** Form of `POST /v1/files`. */
export const OpenAiFileForm = z.strictObject({
  file: z.string().meta({ format: 'binary' }).describe('PNG, JPEG or WebP of at most 50 MB.'),
  purpose: z.enum(filePurposes),
  expires_after: FileExpiry.optional(),
});
export type OpenAiFileForm = z.infer<typeof OpenAiFileForm>;

const unixSeconds = z.int().meta({ format: 'int64' });

/** A file on the wire. */
export const OpenAiFile = z
  .object({
    id: z.string().describe('Id of the upload, `upl_...`.'),
    object: z.literal('file'),
    bytes: z.int().meta({ format: 'int64' }).describe('Size of the stored bytes.'),
    created_at: unixSeconds.describe('Time of the upload, in seconds since 1970.'),
    expires_at: unixSeconds.describe('Time at which the file is deleted, in seconds since 1970.'),
    filename: z.string(),
    purpose: z.string(),
    status: z.literal('processed'),
  })
  .describe('A stored file that edits can use as `file_id`.');
export type OpenAiFile = z.infer<typeof OpenAiFile>;

/** Response to the deletion of a file. */
export const OpenAiDeletedFile = z.object({
  id: z.string(),
  object: z.literal('file'),
  deleted: z.literal(true),
});

/** Returns an upload in the form of OpenAI's files. */
export function viewFile(upload: Upload): OpenAiFile {
  return {
    id: upload.id,
    object: 'file',
    bytes: upload.sizeBytes,
    created_at: Math.floor(upload.createdAt / 1000),
    expires_at: Math.floor(upload.expiresAt / 1000),
    filename: upload.fileName ?? `${upload.id}.${extensionOf(upload.contentType)}`,
    purpose: upload.purpose ?? 'vision',
    status: 'processed',
  };
}
