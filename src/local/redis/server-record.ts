import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** What the next start must know about the server of this one, kept beside the data. */
export interface ServerRecord {
  /** Process identities, see processIdentity. */
  server: string;
  guard: string;
  socketPath: string;
}

/** Writes the record, whole or not at all. */
export function writeServerRecord(path: string, record: ServerRecord): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The record, or undefined when there is none that can be read. */
export function readServerRecord(path: string): ServerRecord | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!found || typeof found !== 'object') return undefined;
    const { server, guard, socketPath } = found as Record<string, unknown>;
    if (typeof server !== 'string' || typeof guard !== 'string' || typeof socketPath !== 'string')
      return undefined;
    return { server, guard, socketPath };
  } catch {
    return undefined;
  }
}

/** Removes the record if there is one. */
export function removeServerRecord(path: string): void {
  rmSync(path, { force: true });
}
