import { AppError } from '../../src/domain/errors.ts';
import type {
  BlockedScope,
  CircuitBreaker,
  ImageStorage,
  Spool,
  SpoolHead,
  SpoolKey,
  WorkerRuns,
} from '../../src/domain/ports.ts';
import { chunked } from './images.ts';

/** Ports in memory whose faults the test sets. They serve tests of the decisions between the ports. */

type Entry = { readonly head: SpoolHead; readonly bytes: Buffer } | { readonly version: number };

/** Creates a spool in memory. */
export function memorySpool() {
  const spooled = new Map<string, { readonly key: SpoolKey; readonly entry: Entry }>();
  const faults = {
    /** Number of responses that the disk refuses. */
    writes: 0,
    /** Number of responses that the disk loses after the last byte. */
    syncs: 0,
    isFull: () => false,
  };
  const name = (key: SpoolKey) => `${key.tenant}.${key.jobId}.${key.attemptNo}`;
  const store = (key: SpoolKey, entry: Entry) => void spooled.set(name(key), { key, entry });
  const spool: Spool = {
    async write(key, head, body) {
      if (faults.writes-- > 0) throw brokenDisk();
      const parts: Uint8Array[] = [];
      for await (const part of body) parts.push(part);
      if (faults.syncs-- > 0) throw brokenDisk();
      store(key, { head, bytes: Buffer.concat(parts) });
    },
    async open(key) {
      const entry = spooled.get(name(key))?.entry;
      if (!entry) return null;
      if ('version' in entry) return { format: 'unknown', version: entry.version };
      return { format: 'known', head: entry.head, body: oneChunk(entry.bytes) };
    },
    async remove(key) {
      spooled.delete(name(key));
    },
    async removeUnfinished() {},
    async *list() {
      for (const { key, entry } of spooled.values()) {
        if ('version' in entry) yield { key, format: 'unknown', version: entry.version };
        else yield { key, format: 'known', provider: entry.head.provider };
      }
    },
    hasCapacity: async () => !faults.isFull(),
    async check() {},
  };
  return { spool, spooled, store, faults };
}

/** Creates an image storage in memory that refuses the first images. */
export function memoryStorage(refusals: number) {
  const stored = new Map<string, Buffer>();
  const puts: string[] = [];
  const faults = {
    /** Number of images that the storage refuses. */
    puts: refusals,
    /** Number of reads that the storage refuses. */
    reads: 0,
    /** Patterns of keys for which the storage throws an error that only a bug can cause. */
    keys: new Set<RegExp>(),
  };
  const storage: Pick<ImageStorage, 'put' | 'read' | 'remove'> = {
    async read(key) {
      if (faults.reads-- > 0) throw brokenDisk();
      const bytes = stored.get(key);
      return bytes ? { body: chunked(bytes), sizeBytes: bytes.length } : null;
    },
    async put(key, bytes) {
      if (faults.puts-- > 0) throw brokenDisk();
      for (const pattern of faults.keys) if (pattern.test(key)) throw new Error('a bug');
      puts.push(key);
      stored.set(key, bytes);
    },
    async remove(key) {
      stored.delete(key);
    },
  };
  return { storage, stored, puts, faults };
}

/** Creates a circuit breaker in memory. */
export function memoryBreaker(clock: () => number) {
  const blocked = new Map<string, BlockedScope>();
  const scopesChecked: (readonly string[])[] = [];
  const faults = {
    /** Number of times that closing the circuit breaker fails. */
    resets: 0,
  };
  const breaker: CircuitBreaker = {
    async findBlock(scopes) {
      scopesChecked.push(scopes);
      const found = scopes
        .map((scope) => blocked.get(scope))
        .find((block) => block && block.untilMs > clock());
      return found ?? null;
    },
    async open(scope, { code, forMs = 5_000 }) {
      blocked.set(scope, { scope, untilMs: clock() + forMs, code });
    },
    async recordSuccess(scopes) {
      if (faults.resets-- > 0) throw new AppError('store_unavailable');
      return scopes.filter((scope) => blocked.delete(scope));
    },
    reset: async (scope) => blocked.delete(scope),
    list: async () => [],
  };
  return { breaker, blocked, scopesChecked, faults };
}

function brokenDisk(): Error {
  return new AppError('storage_failed', { detail: 'The disk is read-only.' });
}

/** Returns a body that arrives as one chunk. */
export async function* oneChunk(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Creates a register of runs for the process `this-worker`, in which other processes have crashed. */
export function memoryWorkerRuns(endedWith: Readonly<Record<string, number>>): WorkerRuns {
  return {
    worker: 'this-worker',
    begin: async () => {},
    end: async () => {},
    endedWith: async (worker) => endedWith[worker] ?? 1,
    count: async (workers) => workers.map((worker) => endedWith[worker] ?? 0),
  };
}
