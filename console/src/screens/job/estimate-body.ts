import type { ImageJob } from '../../api/types.ts';

type Body = Readonly<Record<string, unknown>>;

/** Fields that decide nothing about the cost, or that a dry run would act upon. */
const ignored = [
  'webhook',
  'metadata',
  'retention',
  'max_cost_micro_usd',
  'priority',
  'queue_ttl_s',
  'run_timeout_s',
];

/** Returns whether a job can be submitted again. A job that only enhanced a prompt cannot. */
export const isRetryable = ({ status, request }: Pick<ImageJob, 'status' | 'request'>): boolean =>
  ['failed', 'canceled', 'expired'].includes(status) && request.n !== 0;

/** Returns the body of a dry run that costs as much as a retry; null if an input cannot be named again. */
export function retryBody({ request, inputs }: Pick<ImageJob, 'request' | 'inputs'>): Body | null {
  const named = inputs.map(({ role, source }) => ({ role, input: inputOf(source) }));
  if (named.some(({ input }) => input === null)) return null;
  const images = named.filter(({ role }) => role === 'image').map(({ input }) => input);
  const other = (role: string) => named.find((each) => each.role === role)?.input;
  return {
    ...priced(request),
    ...(images.length > 0 ? { images } : {}),
    ...(other('mask') ? { mask: other('mask') } : {}),
    ...(other('markup') ? { markup: other('markup') } : {}),
  };
}

/** Returns the body of a dry run that costs as much as one variation of an image. */
export function variationBody({ id, request }: ImageJob, index: number, prompt: string): Body {
  return {
    ...priced(request),
    n: 1,
    prompt: prompt.trim() === '' ? request.prompt : prompt,
    images: [{ image_id: id, index }],
  };
}

function priced(request: ImageJob['request']): Body {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !ignored.includes(name)));
}

function inputOf(source: ImageJob['inputs'][number]['source']): Body | null {
  if (source.image_id !== undefined) return { image_id: source.image_id, index: source.index ?? 0 };
  if (source.upload_id !== undefined) return { upload_id: source.upload_id };
  return source.url === undefined ? null : { url: source.url };
}
