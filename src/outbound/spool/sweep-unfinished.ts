import { open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import type { SpoolKey } from '../../domain/ports.ts';
import { isAbandoned, thisWriter } from '../../lib/file-writer.ts';
import { syncFolder } from '../../lib/sync-folder.ts';
import { systemCode } from '../../lib/system-code.ts';
import { parseUnfinishedFile } from './spool-name.ts';

interface Sweep {
  readonly directory: string;
  readonly nowMs: number;
  /** Whether the response is wanted. An unwanted one is removed even if its writer lives, which then fails to finish it. */
  readonly isWanted: (key: SpoolKey) => Promise<boolean>;
}

/**
 * Finishes the whole responses of dead writers, and removes all other unfinished files without a living writer and those of
 * unwanted responses.
 */
export async function sweepUnfinished({ directory, nowMs, isWanted }: Sweep): Promise<void> {
  // An earlier start of the machine may have lost bytes that the kernel had not written to the disk.
  const startedAtMs = nowMs - uptime() * 1000;
  for (const name of await readdir(directory)) {
    const unfinished = parseUnfinishedFile(name);
    if (!unfinished) continue;
    const { writer, isWhole, responseName } = unfinished;
    const path = join(directory, name);
    // The file may be gone, because another process sweeps at the same time.
    const found = await stat(path).catch(() => null);
    if (!found) continue;
    const isDead = isAbandoned(writer, nowMs - found.mtimeMs);
    const hasAllBytes = isWhole && writer.machine === thisWriter().machine && found.mtimeMs > startedAtMs;
    if (isDead && hasAllBytes) await finish(directory, name, responseName);
    else if (isDead || !(await isWanted(unfinished.key))) await unlink(path).catch(() => undefined);
  }
}

/** Syncs and renames a whole response, as its writer would have done. */
async function finish(directory: string, name: string, responseName: string): Promise<void> {
  const path = join(directory, name);
  try {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
    await rename(path, join(directory, responseName));
  } catch (error) {
    // Another process sweeps at the same time.
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  await syncFolder(directory);
}
