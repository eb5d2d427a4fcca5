import type { Spool, SpoolEntry, SpoolKey } from '../../src/domain/ports.ts';

/** Key of the response that most tests store. */
export const spoolKey: SpoolKey = { tenant: 'acme', jobId: 'img_01', attemptNo: 1 };
export const spoolHead = { provider: 'studio', providerRequestId: 'req_1' };
/** The head of a response whose provider sent no request id. */
export const headWithoutId = { provider: 'studio' };

/** Returns a body of the given parts. */
export async function* bodyOf(...given: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of given) yield Buffer.from(part);
}

/** Returns head and bytes of a spooled response, `null` if there is none that this release reads. */
export async function readSpooled(spool: Spool, at: SpoolKey) {
  const found = await spool.open(at);
  if (!found || found.format === 'unknown') return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of found.body) chunks.push(chunk);
  return { head: found.head, bytes: Buffer.concat(chunks) };
}

/** Returns every entry of a spool. */
export async function entriesOf(spool: Spool): Promise<SpoolEntry[]> {
  const entries: SpoolEntry[] = [];
  for await (const entry of spool.list()) entries.push(entry);
  return entries;
}

/** Returns the error of a failed promise, `null` if it did not fail. */
export async function errorOf(run: Promise<unknown>): Promise<unknown> {
  return run.then(
    () => null,
    (error: unknown) => error,
  );
}
