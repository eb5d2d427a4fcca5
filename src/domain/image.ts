import { z } from 'zod';

/** A stored picture: what its bytes are, not what was asked for. Links are made when it is read, never kept. */
export const StoredImage = z.object({
  index: z.int(),
  storageKey: z.string(),
  contentType: z.string(),
  width: z.int(),
  height: z.int(),
  sizeBytes: z.int(),
  sha256: z.string(),
});
export type StoredImage = z.infer<typeof StoredImage>;

const extensions: Record<string, string> = { 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' };

/** File extension of a content type, without the dot. */
export function extensionOf(contentType: string): string {
  return extensions[contentType] ?? 'bin';
}

/**
 * Where the bytes of one answer live in the storage. Built from ids only, so that no caller-given text can ever become
 * part of a path; deterministic, so that storing twice overwrites equal bytes; and of its own for every attempt, so
 * that a late answer never replaces the bytes of the one that came before it.
 */
export function storageKeyOf(
  job: { readonly tenant: string; readonly id: string },
  attempt: { readonly index: number; readonly no: number },
  contentType: string,
): string {
  return `${job.tenant}/${job.id}/${attempt.index}-${attempt.no}.${extensionOf(contentType)}`;
}
