/** The resource of a request. Its id is chosen when the request is sent. */
export type JobChoice =
  | { readonly of: 'kept' | 'recent' | 'link' | 'endpoint' | 'delivery'; readonly nth: number }
  | { readonly text: string };

/** A request to write to a socket. Texts are bytes in latin1. */
export interface RequestPlan {
  readonly method: string;
  /** Path and query. `{job}` is replaced by the id of `job`. */
  readonly target: string;
  readonly job: JobChoice;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
  readonly framing: 'length' | 'chunked' | 'none';
  readonly version: string;
  /** The body if it is JSON that the schema of the operation can validate. */
  readonly bodyValue: { readonly value: unknown } | null;
  /** Whether the request is invalid HTTP, for which any refusal is correct. */
  readonly isBrokenHttp: boolean;
}

export type Header = readonly [name: string, value: string];

/** The keys that a request may carry. */
export interface FuzzKeys {
  readonly good: string;
  readonly other: string;
  readonly readOnly: string;
  readonly admin: string;
}

/** Defaults of a plan without a body and a resource. */
export const barePlan = {
  job: { text: 'x' },
  body: null,
  framing: 'none',
  version: 'HTTP/1.1',
  bodyValue: null,
  isBrokenHttp: false,
} as const satisfies Partial<RequestPlan>;

/** Returns the bytes of a request with `connection: close`. A header `no-host` omits Host. */
export function bytesOfPlan(plan: RequestPlan, jobText: string): Buffer {
  const lines = [`${plan.method} ${plan.target.replaceAll('{job}', jobText)} ${plan.version}`];
  lines.push('connection: close');
  if (!plan.headers.some(([name]) => name === 'host' || name === 'no-host')) lines.push('host: 127.0.0.1');
  lines.push(...plan.headers.map(([name, value]) => `${name}: ${value}`));
  const body = plan.body ?? Buffer.alloc(0);
  if (plan.framing === 'length') lines.push(`content-length: ${body.length}`);
  if (plan.framing === 'chunked') lines.push('transfer-encoding: chunked');
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (plan.framing !== 'chunked') return Buffer.concat([head, body]);
  if (body.length === 0) return Buffer.concat([head, Buffer.from('0\r\n\r\n')]);
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  return Buffer.concat([head, size, body, Buffer.from('\r\n0\r\n\r\n')]);
}
