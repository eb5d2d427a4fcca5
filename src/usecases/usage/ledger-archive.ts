import { ArchivedLine } from '../../domain/ledger.ts';
import type { ImageStorage, Log } from '../../domain/ports.ts';
import { isoDay, startOfUtcDay, utcDayOf } from '../../domain/utc-day.ts';
import { gzipLines, readGzipLines } from '../../lib/gzip-lines.ts';

interface Deps {
  storage: Pick<ImageStorage, 'put' | 'read' | 'list' | 'remove'>;
  /** Returns a unique text of letters and digits that sorts by time. */
  createName: () => string;
  log: Log;
}

const hoursOfDay = Array.from({ length: 24 }, (_, hour) => (hour < 10 ? `0${hour}` : `${hour}`));

/** Returns the hour of a line: `YYYY-MM-DDTHH`. */
const hourOf = ({ at }: ArchivedLine): string => at.slice(0, 'YYYY-MM-DDTHH'.length);

const folderOf = (tenant: string, day: string): string => `${tenant}/ledger-${day}`;

/**
 * The archived ledger in the storage. A file `TENANT/ledger-YYYY-MM-DD/HH-NAME.gz` has lines whose calls began in that hour
 * (UTC), as gzip of one JSON object per line. A line may be in several files. Of equal ids the highest version is valid.
 */
export function createLedgerArchive(deps: Deps) {
  const { storage, log } = deps;

  /** Stores lines, in one file for each hour. Resolves when all are durable. */
  async function write(tenant: string, lines: readonly ArchivedLine[]): Promise<void> {
    const byHour = new Map<string, ArchivedLine[]>();
    for (const line of lines) byHour.set(hourOf(line), [...(byHour.get(hourOf(line)) ?? []), line]);
    for (const [hour, some] of byHour) {
      const [day = '', hourOfDay = ''] = hour.split('T');
      const key = `${folderOf(tenant, day)}/${hourOfDay}-${deps.createName()}.gz`;
      await storage.put(key, await gzipLines(some), { contentType: 'application/gzip' });
    }
  }

  async function* linesOf(tenant: string, key: string): AsyncGenerator<ArchivedLine> {
    const file = await storage.read(key);
    if (!file) return;
    for await (const line of readGzipLines(file.body)) {
      const parsed = ArchivedLine.safeParse(JSON.parse(line));
      if (parsed.success) yield parsed.data;
      else log.error({ tenant, storage_key: key }, 'unreadable line of the ledger skipped');
    }
  }

  /** Reads the valid lines of a range of time, hour by hour. `toMs` is exclusive. */
  async function* read(tenant: string, fromMs: number, toMs: number): AsyncGenerator<ArchivedLine> {
    for (let day = utcDayOf(fromMs); startOfUtcDay(day) < toMs; day++) {
      const keys = await storage.list(folderOf(tenant, isoDay(day)));
      for (const hour of hoursOfDay) {
        const ofHour = keys.filter((key) => key.includes(`/${hour}-`)).sort();
        const lines = await newestOf(ofHour.map((key) => linesOf(tenant, key)));
        for (const line of lines) {
          const at = Date.parse(line.at);
          if (at >= fromMs && at < toMs) yield line;
        }
      }
    }
  }

  /** Removes the files of a day. */
  async function removeDay(tenant: string, day: number): Promise<void> {
    for (const key of await storage.list(folderOf(tenant, isoDay(day)))) await storage.remove(key);
  }

  return { write, read, removeDay };
}
export type LedgerArchive = ReturnType<typeof createLedgerArchive>;

/** Returns each line once, in its newest version, by time. */
async function newestOf(files: readonly AsyncIterable<ArchivedLine>[]): Promise<ArchivedLine[]> {
  const lines = new Map<string, ArchivedLine>();
  for (const file of files) {
    for await (const line of file) {
      if ((lines.get(line.id)?.version ?? -1) < line.version) lines.set(line.id, line);
    }
  }
  return [...lines.values()].sort((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at)));
}
