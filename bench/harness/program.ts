import type { Closers } from '../../src/lib/closers.ts';

/** How a program is run. */
export interface RunOptions {
  /** Rounds; five unless told otherwise. */
  readonly rounds: number;
  /** Factor on the time of a single measurement; 1 is what goals are judged by. */
  readonly pace: number;
  /** How fast images are ordered where that is not what is measured; 20 is what goals are judged by. */
  readonly jobsPerSecond: number;
  /** Also what takes long. */
  readonly full: boolean;
  readonly random: () => number;
  /** Hears what is going on, in single lines. */
  readonly say: (line: string) => void;
  /** Closes what the program starts, whatever happens. */
  readonly closers: Closers;
}

/** A promise about a figure. */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly sense: 'at least' | 'at most';
  readonly limit: number;
  readonly unit: string;
}

/** The same thing measured twice: any difference between the two is noise. */
export interface Control {
  readonly what: string;
  readonly ratio: number;
}

export interface Outcome {
  /** Finished tables and lines about them. */
  readonly tables: readonly string[];
  readonly controls: readonly Control[];
  readonly goals: readonly Goal[];
}

export interface Program {
  readonly name: string;
  readonly title: string;
  run(options: RunOptions): Promise<Outcome>;
}

/** Above this, differences between variants mean nothing. */
const maxNoise = 1.2;

export function isTooNoisy({ ratio }: Control): boolean {
  return !(Math.max(ratio, 1 / ratio) <= maxNoise);
}

export function isMet({ value, sense, limit }: Goal): boolean {
  return sense === 'at least' ? value >= limit : value <= limit;
}
