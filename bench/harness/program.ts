import type { Closers } from '../../src/lib/closers.ts';

/** Options of a benchmark run. */
export interface RunOptions {
  /** Number of rounds. Default 5. */
  readonly rounds: number;
  /** Factor on the time of a single measurement. Goals are judged at 1. */
  readonly pace: number;
  /** Submission rate in measurements of other properties. Goals are judged at 20. */
  readonly jobsPerSecond: number;
  /** Includes slow measurements. */
  readonly full: boolean;
  readonly random: () => number;
  /** Called with progress messages, one line each. */
  readonly say: (line: string) => void;
  /** Closes everything that the program starts, even if the program fails. */
  readonly closers: Closers;
}

/** A guaranteed limit of a figure. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly sense: 'at least' | 'at most';
  readonly limit: number;
  readonly unit: string;
}

/** Two measurements of the same thing. Any difference between them is noise. */
export interface Control {
  readonly what: string;
  readonly ratio: number;
}

export interface Outcome {
  /** Formatted tables and remarks about them. */
  readonly tables: readonly string[];
  readonly controls: readonly Control[];
  readonly goals: readonly Goal[];
}

export interface Program {
  readonly name: string;
  readonly title: string;
  run(options: RunOptions): Promise<Outcome>;
}

/** Maximum noise. Above it, differences between variants are not significant. */
const maxNoise = 1.2;

export function isTooNoisy({ ratio }: Control): boolean {
  return !(Math.max(ratio, 1 / ratio) <= maxNoise);
}

export function isMet({ value, sense, limit }: Goal): boolean {
  return sense === 'at least' ? value >= limit : value <= limit;
}
