/** The call did nothing: it was turned down, or never arrived. */
export class Refusal extends Error {
  /** Of the problem that was answered, else the status. */
  readonly code: string | undefined;

  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = options.code;
  }
}

/** A failure that may be over a little later; whether the call did something is not known. */
export class TransientError extends Error {
  /** Milliseconds that the service asks callers to stay away. */
  readonly awayMs: number;

  constructor(message: string, options: { awayMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.awayMs = options.awayMs ?? 0;
  }
}

/** What an answer without success means, with the fields that are to be mended. */
export async function errorOf(response: Response): Promise<Refusal | TransientError> {
  const { status, statusText, headers } = response;
  if (status < 400) {
    return new Refusal(`The address leads to ${headers.get('location')}. Set DARKROOM_URL to what is there.`);
  }
  const problem = (await response.json().catch(() => null)) as {
    code?: string;
    detail?: string;
    retryable?: boolean;
    errors?: { pointer: string; detail: string }[];
  } | null;
  const code = problem?.code ?? String(status);
  const fields = problem?.errors?.map((each) => `\n  ${each.pointer}: ${each.detail}`).join('') ?? '';
  const message = `${code}: ${problem?.detail ?? (statusText || 'no reason given')}${fields}`;
  // What stands before the service does not speak of problems.
  const mayPass = problem?.retryable ?? (status >= 500 || [408, 425, 429].includes(status));
  if (!mayPass) return new Refusal(message, { code });
  return new TransientError(message, { awayMs: 1000 * (Number(headers.get('retry-after')) || 0) });
}

/** `fetch` tells of connections, and of bodies that break off, by a `TypeError` with a cause. */
export const isConnectionError = (error: unknown): error is TypeError =>
  error instanceof TypeError && error.cause !== undefined;

const beforeAnythingIsSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether a call that met trouble may have arrived all the same: not before there was a connection that is trusted. */
export function mayHaveArrived({ cause }: TypeError): boolean {
  // What `fetch` refuses by itself, such as a port that is never used for HTTP, has no code.
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return code !== undefined && !beforeAnythingIsSent.has(code) && !/CERT|TLS|SSL|SIGNATURE/.test(code);
}
