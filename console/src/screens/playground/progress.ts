import type { Image, ImageEvent, ImageJob, PartialImage } from '../../api/types.ts';

/** Steps of a job in their order. */
export type Step = 'queued' | 'moderating' | 'enhancing' | 'generating' | 'storing' | 'done';

/** Facts about a job besides its record: times of steps, and previews. */
export interface Progress {
  readonly jobId: string;
  /** Time at which each stage was seen first, in milliseconds. */
  readonly stageAt: Readonly<Partial<Record<Step, number>>>;
  readonly previews: Readonly<Record<number, PartialImage>>;
  readonly images: Readonly<Record<number, Image>>;
}

export const newProgress = (jobId: string): Progress => ({ jobId, stageAt: {}, previews: {}, images: {} });

/** Adds an event of the stream. */
export function addEvent(progress: Progress, event: ImageEvent): Progress {
  if (event.id !== progress.jobId) return progress;
  const { partial_image: preview, image } = event;
  const isKnown = event.stage === null || progress.stageAt[event.stage as Step] !== undefined;
  return {
    ...progress,
    stageAt: isKnown
      ? progress.stageAt
      : { ...progress.stageAt, [event.stage as Step]: Date.parse(event.at) },
    previews: preview ? { ...progress.previews, [preview.index]: preview } : progress.previews,
    images: image ? { ...progress.images, [image.index]: image } : progress.images,
  };
}

export interface StepView {
  readonly step: Step;
  readonly state: 'done' | 'current' | 'next';
  /** Duration in milliseconds; null if it is not known. */
  readonly ms: number | null;
}

/** Returns the steps that a request uses, with their states and the durations that are known. */
export function stepsOf(job: ImageJob, progress: Progress, nowMs: number): StepView[] {
  const times: Partial<Record<Step, number>> = { ...progress.stageAt, queued: Date.parse(job.created_at) };
  const steps = stepsOfRequest(job, progress);
  const hasEnded = isTerminal(job);
  const current: Step = hasEnded
    ? 'done'
    : job.status === 'queued'
      ? 'queued'
      : (currentStage(job) ?? 'generating');
  const at = steps.indexOf(current);
  const endOf = (i: number): number | undefined => {
    const next = steps
      .slice(i + 1)
      .map((step) => times[step])
      .find((time) => time !== undefined);
    if (i === 0 && job.started_at) return Date.parse(job.started_at);
    return next ?? (job.finished_at ? Date.parse(job.finished_at) : i === at ? nowMs : undefined);
  };
  return steps.map((step, i) => {
    const start =
      times[step] ?? (steps[i - 1] === 'queued' && job.started_at ? Date.parse(job.started_at) : undefined);
    const end = endOf(i);
    const isCounted = i <= at && step !== 'done' && start !== undefined && end !== undefined;
    return {
      step,
      state: i < at || hasEnded ? 'done' : i === at ? 'current' : 'next',
      ms: isCounted ? Math.max(0, end - start) : null,
    };
  });
}

const currentStage = (job: ImageJob) => (job.stage === 'processing' ? 'storing' : (job.stage as Step | null));

function stepsOfRequest(job: ImageJob, progress: Progress): Step[] {
  const uses = (step: Step, kind: string) =>
    progress.stageAt[step] !== undefined ||
    job.stage === step ||
    job.attempts.some((each) => each.kind === kind);
  return [
    'queued',
    ...(uses('moderating', 'moderate') ? (['moderating'] as const) : []),
    ...(uses('enhancing', 'enhance') ? (['enhancing'] as const) : []),
    'generating',
    'storing',
    'done',
  ];
}

export const isTerminal = ({ status }: Pick<ImageJob, 'status'>) =>
  status !== 'queued' && status !== 'running';

/** One image of a job as the picker shows it. */
export type Slot =
  | { readonly kind: 'image'; readonly index: number; readonly image: Image }
  | { readonly kind: 'preview'; readonly index: number; readonly preview: PartialImage }
  | { readonly kind: 'waiting' | 'missing'; readonly index: number };

/** Returns one slot for each image of the request. */
export function slotsOf(job: ImageJob, { previews, images }: Progress): Slot[] {
  const stored = new Map(job.images.map((image) => [image.index, image]));
  return Array.from({ length: job.request.n ?? 1 }, (_, index): Slot => {
    const image = stored.get(index) ?? images[index];
    if (image) return { kind: 'image', index, image };
    if (isTerminal(job)) return { kind: 'missing', index };
    const preview = previews[index];
    return preview ? { kind: 'preview', index, preview } : { kind: 'waiting', index };
  });
}
