import type { ImageEvent, ImageJob } from '../../api/types.ts';

/** One bar of the timeline, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly kind: 'wait' | 'stage' | 'call' | 'uncertain';
}

/** One line of the timeline. */
export interface TimelineRow {
  readonly name: 'queued' | 'moderating' | 'enhancing' | 'generating' | 'storing' | 'processing';
  /** Number of the image, from 1, if the job has several. */
  readonly image: number | null;
  readonly spans: readonly Span[];
  readonly hasDoubt: boolean;
}

export interface Timeline {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly TimelineRow[];
}

type Job = Pick<ImageJob, 'created_at' | 'started_at' | 'finished_at' | 'attempts' | 'request'>;
type StageEvent = Pick<ImageEvent, 'stage' | 'at'>;

/**
 * Returns the stages of a job with their times. The calls are those of the ledger. Other stages begin with their event and
 * end with the next one. Stages that the job never entered have no row.
 *
 * @param nowMs end of what has not ended.
 */
export function timelineOf(job: Job, events: readonly StageEvent[], nowMs: number): Timeline {
  const from = Date.parse(job.created_at);
  const to = Math.max(from + 1, job.finished_at ? Date.parse(job.finished_at) : nowMs);
  const started = job.started_at ? Date.parse(job.started_at) : to;
  const rows: TimelineRow[] = [rowOf('queued', null, [{ from, to: started, kind: 'wait' }])];
  const stage = (name: 'moderating' | 'storing' | 'processing') =>
    rows.push(rowOf(name, null, stageSpans(events, name, to)));
  stage('moderating');
  const calls = (isWanted: (kind: string) => boolean, index: number | null) =>
    job.attempts
      .filter((each) => isWanted(each.kind) && (index === null || each.index === index))
      .map((each) => callSpan(each, to));
  rows.push(
    rowOf(
      'enhancing',
      null,
      calls((kind) => kind === 'enhance', null),
    ),
  );
  const total = job.request.n ?? 1;
  for (let index = 0; index < total; index += 1) {
    const spans = calls((kind) => kind !== 'enhance', index);
    rows.push(rowOf('generating', total > 1 ? index + 1 : null, spans));
  }
  stage('storing');
  stage('processing');
  return { from, to, rows: rows.filter(({ spans }) => spans.length > 0) };
}

function rowOf(name: TimelineRow['name'], image: number | null, spans: readonly Span[]): TimelineRow {
  return { name, image, spans, hasDoubt: spans.some(({ kind }) => kind === 'uncertain') };
}

function callSpan(attempt: ImageJob['attempts'][number], end: number): Span {
  const { state, kind, started_at, finished_at } = attempt;
  const isDoubtful = ['uncertain', 'unusable', 'other'].includes(state);
  return {
    from: Date.parse(started_at),
    to: finished_at ? Date.parse(finished_at) : end,
    kind: isDoubtful ? 'uncertain' : kind === 'enhance' ? 'stage' : 'call',
  };
}

function stageSpans(events: readonly StageEvent[], name: string, end: number): Span[] {
  const spans: Span[] = [];
  for (const [i, event] of events.entries()) {
    if (event.stage !== name) continue;
    const from = Date.parse(event.at);
    const to = i + 1 < events.length ? Date.parse(events[i + 1]?.at ?? '') : end;
    const last = spans.at(-1);
    if (last && last.to === from) spans[spans.length - 1] = { ...last, to };
    else spans.push({ from, to, kind: 'stage' });
  }
  return spans;
}

/** Returns the sum of the durations of a row, in milliseconds. Parts that overlap count once. */
export function durationOf({ spans }: Pick<TimelineRow, 'spans'>): number {
  let sum = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    sum += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return sum;
}
