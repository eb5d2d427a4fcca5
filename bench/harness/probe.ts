import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
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

const loopResolutionMs = 5;
const loopDelay = monitorEventLoopDelay({ resolution: loopResolutionMs });

/** Begins to measure the delay of the event loop. */
function watchLoop(): void {
  loopDelay.reset();
  loopDelay.enable();
}

/** Ends the measurement. @returns the 99th percentile in milliseconds, without the period of the timer. */
function loopP99Ms(): number {
  loopDelay.disable();
  return Math.max(0, loopDelay.percentile(99) / 1e6 - loopResolutionMs);
}

handleQueries({ usage, forgetPeak, watchLoop, loopP99Ms });
process.on('disconnect', () => process.exit());
