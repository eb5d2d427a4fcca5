/** What a request is about; what it is called is known when the request is sent. */
export type JobChoice =
  | { readonly of: 'kept' | 'recent' | 'link' | 'endpoint' | 'delivery'; readonly nth: number }
  | { readonly text: string };

/** A request as it will be written to a socket. Texts are bytes in latin1. */
export interface RequestPlan {
  readonly method: string;
  /** `{job}` stands for what `job` names. */
  readonly target: string;
  readonly job: JobChoice;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
  readonly framing: 'length' | 'chunked' | 'none';
  readonly version: string;
  /** The body where it is JSON that the operation's schema can be asked about. */
  readonly bodyValue: { readonly value: unknown } | null;
  /** It is no proper HTTP: any refusal will do. */
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

/** A plan without a body and about no job. */
export const barePlan = {
  job: { text: 'x' },
  body: null,
  framing: 'none',
  version: 'HTTP/1.1',
  bodyValue: null,
  isBrokenHttp: false,
} as const satisfies Partial<RequestPlan>;

/** The bytes of a request; the connection ends with the answer. A header `no-host` leaves Host out. */
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
