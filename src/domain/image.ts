import { z } from 'zod';
import type { Attempt } from './attempt.ts';

/** A stored image: what its bytes are, not what was asked for. Links are made when it is read, never kept. */
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

/** A worker that died may have stored the answer of such a call, and nobody knows of the bytes. */
const mayHaveLeftBytes = new Set<Attempt['state']>(['calling', 'received', 'uncertain', 'wasted']);

/**
 * Every key under which the storage may hold bytes of a job: those of its images, and those of answers that were
 * perhaps stored but never entered. What is to be gone for sure has to be removed under all of them.
 */
export function storageKeysOf(job: {
  readonly tenant: string;
  readonly id: string;
  readonly images: readonly StoredImage[];
  readonly attempts: readonly Attempt[];
}): string[] {
  const unentered = job.attempts.filter(
    ({ kind, state }) => kind === 'generate' && mayHaveLeftBytes.has(state),
  );
  return [
    ...job.images.map((image) => image.storageKey),
    ...unentered.flatMap((attempt) =>
      Object.keys(extensions).map((contentType) => storageKeyOf(job, attempt, contentType)),
    ),
  ];
}
