import { isoTime } from '../../../domain/iso-time.ts';
import type { ProcessState, SpoolState } from '../../../domain/process-state.ts';
import type { PartState, SystemStatus } from '../../../domain/system-status.ts';
import { ok, partOf } from './part.ts';

type Spools = SystemStatus['spool'];
type SpoolFacts = SpoolState & { readonly host: string };

/** Returns the status of the spools of all workers. Workers of one machine may share a folder, which then counts once. */
export function spoolStatus(processes: Promise<readonly ProcessState[]>): Promise<Spools> {
  return partOf<Spools>(
    async () => {
      const states = (await processes).toSorted((a, b) => b.at - a.at);
      const spools = new Map<string, SpoolFacts>();
      for (const { host, spool } of states) {
        const name = `${host} ${spool?.folder}`;
        if (spool && !spools.has(name)) spools.set(name, { host, ...spool });
      }
      const all = [...spools.values()];
      const unreadable = states.find(({ spoolFault }) => spoolFault !== undefined);
      return {
        ...healthOf(all, unreadable),
        files: all.reduce((sum, { files }) => sum + files, 0),
        size_bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
        oldest_at: oldestOf(all),
        unknown_versions: [...new Set(all.flatMap((each) => each.unknownVersions))].sort((a, b) => a - b),
        data: all.map(viewSpool),
      };
    },
    { files: null, size_bytes: null, oldest_at: null, unknown_versions: [], data: [] },
  );
}

function healthOf(
  spools: readonly SpoolFacts[],
  unreadable: ProcessState | undefined,
): { state: PartState; detail: string | null } {
  if (unreadable) return { state: 'down', detail: `Spool of ${unreadable.host}: ${unreadable.spoolFault}` };
  const full = spools.find(({ bytes, limitBytes }) => bytes >= limitBytes);
  if (full) {
    const detail = `The spool of ${full.host} is full, so that its worker makes no call. Check the storage of images.`;
    return { state: 'degraded', detail };
  }
  const newer = spools.find(({ unknownVersions }) => unknownVersions.length > 0);
  if (!newer) return ok;
  const detail = `The spool of ${newer.host} has responses of a newer release. Start that release there.`;
  return { state: 'degraded', detail };
}

function oldestOf(spools: readonly SpoolFacts[]): string | null {
  const times = spools.flatMap(({ oldestAt }) => oldestAt ?? []);
  return times.length === 0 ? null : isoTime(Math.min(...times));
}

function viewSpool({ host, folder, files, bytes, limitBytes, oldestAt, unknownVersions }: SpoolFacts) {
  return {
    ...{ host, folder, files, size_bytes: bytes, limit_bytes: limitBytes },
    oldest_at: oldestAt === null ? null : isoTime(oldestAt),
    unknown_versions: unknownVersions,
  };
}

/** Releases of this process. */
export interface OwnVersions {
  readonly release: string;
  readonly node: string;
  /** Schema versions that this release writes, by kind of data. */
  readonly schemas: Readonly<Record<string, number>>;
}

/** Returns the releases and processes of the deployment. */
export function versionsStatus(
  { release, node, schemas }: OwnVersions,
  processes: Promise<readonly ProcessState[]>,
): Promise<SystemStatus['versions']> {
  const own = { release, node, schemas: { ...schemas } };
  return partOf<SystemStatus['versions']>(
    async () => {
      const states = (await processes).toSorted((a, b) => a.startedAt - b.startedAt);
      const releases = [...new Set(states.map((each) => each.release))];
      const detail =
        releases.length > 1 ? `The processes run several releases: ${releases.toSorted().join(', ')}.` : null;
      return { state: 'ok', detail, ...own, processes: states.map(viewProcess) };
    },
    { ...own, processes: [] },
  );
}

function viewProcess({ process, host, pid, roles, release, node, startedAt, at }: ProcessState) {
  const times = { started_at: isoTime(startedAt), last_seen_at: isoTime(at) };
  return { id: process, host, pid, roles, release, node, ...times };
}
