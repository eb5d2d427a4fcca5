import { readFileSync, writeFileSync } from 'node:fs';
import { handleQueries } from './queries.ts';

/**
 * Module that is loaded into every measured process before its program. It reports the resources that the process has
 * used, and ends the process if the benchmark dies.
 */
export interface Usage {
  /** User and system time of all threads, in microseconds. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** Peak since the start of the process, or since the last reset. */
  readonly peakRssBytes: number;
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rssBytes: process.memoryUsage.rss(), peakRssBytes: peakRssBytes() };
}

function peakRssBytes(): number {
  try {
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kibibytes) return Number(kibibytes) * 1024;
  } catch {
    // The system is not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Resets the peak on Linux by writing 5 to this file (proc(5)). Other systems report the peak since the start. */
function forgetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

handleQueries({ usage, forgetPeak });
process.on('disconnect', () => process.exit());
