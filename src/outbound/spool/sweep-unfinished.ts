import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpoolKey } from '../../domain/ports.ts';
import { isAbandoned } from '../../lib/file-writer.ts';
import { parseUnfinishedFile } from './spool-name.ts';

interface Sweep {
  readonly directory: string;
  readonly nowMs: number;
  /** Whether the response is wanted. An unwanted one is removed even if its writer lives, which then fails to finish it. */
  readonly isWanted: (key: SpoolKey) => Promise<boolean>;
}

/** Removes unfinished files without a living writer, and those of unwanted responses. */
export async function sweepUnfinished({ directory, nowMs, isWanted }: Sweep): Promise<void> {
  for (const name of await readdir(directory)) {
    const unfinished = parseUnfinishedFile(name);
    if (!unfinished) continue;
    const path = join(directory, name);
    // The file may be gone, because another process sweeps at the same time.
    const found = await stat(path).catch(() => null);
    if (!found) continue;
    const isDead = isAbandoned(unfinished.writer, nowMs - found.mtimeMs);
    if (isDead || !(await isWanted(unfinished.key))) await unlink(path).catch(() => undefined);
  }
}
