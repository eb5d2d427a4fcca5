import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Identity of the running server, stored beside the data for the next start. */
export interface ServerRecord {
  /** Process identity, see processIdentity. */
  server: string;
  /** Process identity of the guard. */
  guard: string;
  socketPath: string;
}

/** Writes the record atomically. */
export function writeServerRecord(path: string, record: ServerRecord): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Returns the record, or undefined if none can be read. */
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
