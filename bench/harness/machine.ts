import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** Returns the machine and the current time, for a record of results. */
export function describeMachine(redisVersion: string, nowMs: number): string {
  const gigabytes = Math.round(totalmem() / 1e9);
  const load = loadavg()[0]?.toFixed(1);
  return (
    `${new Date(nowMs).toISOString().slice(0, 10)}, ${availableParallelism()} cores (${cpus()[0]?.model.trim()}), ` +
    `${gigabytes} GB, ${process.platform}, Node ${process.version}, Redis ${redisVersion}, load ${load}`
  );
}
