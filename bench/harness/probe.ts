import { readFileSync, writeFileSync } from 'node:fs';
import { answerDnsQueries } from './questions.ts';

/**
 * Loaded into every measured process before its program: tells what the process has used so far, and ends it when the
 * benchmark dies.
 */
export interface Usage {
  /** User and system time of all threads, in microseconds. */
  readonly cpuMicros: number;
  readonly rssBytes: number;
  /** Since the start, or since it was last forgotten. */
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
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Linux forgets the peak when 5 is written here (proc(5)); elsewhere the peak since the start has to do. */
function forgetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

answerDnsQueries({ usage, forgetPeak });
process.on('disconnect', () => process.exit());
