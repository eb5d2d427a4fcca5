import { emptySums, type UsageMeasure, usageMeasures } from '../../domain/usage.ts';
import { letterOf } from './usage-counters.ts';

const measureOf = new Map(usageMeasures.map((measure) => [letterOf[measure], measure]));

/** Calls `onField` with the parts of every field of a hash: `PREFIX.LETTER` and its value. */
function forEachField(text: string, onField: (prefix: string, letter: string, value: string) => void): void {
  for (let start = 0; start < text.length; ) {
    const gap = text.indexOf(' ', start);
    const next = text.indexOf(' ', gap + 1);
    const end = next < 0 ? text.length : next;
    const dot = text.lastIndexOf('.', gap);
    onField(text.slice(start, dot), text.slice(dot + 1, gap), text.slice(gap + 1, end));
    start = end + 1;
  }
}

/** Sums the fields of a hash by the part before their measure. Skips measures of a newer release. */
export function sumsByPrefix(text: string): Map<string, Record<UsageMeasure, number>> {
  const rows = new Map<string, Record<UsageMeasure, number>>();
  forEachField(text, (prefix, letter, value) => {
    const sums = rows.get(prefix) ?? emptySums();
    rows.set(prefix, sums);
    const measure = measureOf.get(letter);
    if (measure) sums[measure] += Number(value);
  });
  return rows;
}

/**
 * Returns a text for each day of the totals of a month. The text changes with every change of the day. It may also change if
 * only the sequence of the fields in Redis did, which costs a reader one more read of the day.
 */
export function stampsByDay(text: string): Map<number, string> {
  const stamps = new Map<number, string>();
  forEachField(text, (prefix, letter, value) => {
    const day = Number(prefix);
    stamps.set(day, `${stamps.get(day) ?? ''}${letter}${value} `);
  });
  return stamps;
}
