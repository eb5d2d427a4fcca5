import type { ImageEvent, ImageJob } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';

/** Terminal sequence that erases the line with the progress. */
export const clearLine = '\r\u001b[K';
const tickMs = 1_000;
const barLength = 20;
/** Width of a terminal that does not state its own. */
const defaultColumns = 80;

/** Line with the state of a job, on a terminal only. */
export interface Progress {
  /** Shows an event of the job. */
  show(event: ImageEvent): void;
  /** Erases the line. */
  end(): void;
}

/** Starts to show the state of a job, the time and, for several images, a bar. */
export function startProgress(context: CliContext, job: Pick<ImageJob, 'status' | 'request'>): Progress {
  if (!context.drawsProgress()) return { show() {}, end() {} };
  const startedMs = Date.now();
  const { n = 1 } = job.request;
  const stored = new Set<number>();
  let state: string = job.status;
  const draw = () => {
    const bar = n > 1 ? ` ${barOf(stored.size, n)}` : '';
    const seconds = Math.round((Date.now() - startedMs) / 1000);
    process.stderr.write(clearLine + fitting(`${state} ${seconds} s${bar}`, process.stderr.columns));
  };
  const ticker = setInterval(draw, tickMs);
  return {
    show(event) {
      state = event.stage ?? event.status;
      if (event.type === 'image.progress' && event.image) stored.add(event.image.index);
      draw();
    },
    end() {
      clearInterval(ticker);
      process.stderr.write(clearLine);
    },
  };
}

/** Returns a line that fits a terminal. A line that wraps could not be erased. */
export const fitting = (line: string, columns: number | undefined): string =>
  line.slice(0, (columns || defaultColumns) - 1);

/** Returns a bar of the images that are stored. */
export function barOf(done: number, all: number): string {
  const filled = Math.round((barLength * Math.min(done, all)) / all);
  return `[${'#'.repeat(filled)}${'-'.repeat(barLength - filled)}] ${done}/${all} images`;
}
