/** Failure of a call without effect: it was refused or never arrived. */
export class Refusal extends Error {
  /** Code of the problem response, otherwise the status. */
  readonly code: string | undefined;

  constructor(message: string, options: { code?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = options.code;
  }
}

/** Temporary failure. It is unknown if the call had an effect. */
export class TransientError extends Error {
  /** Minimum pause before a retry, from Retry-After. Default 0. */
  readonly retryAfterMs: number;

  constructor(message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** Translates an error response. The message lists the invalid fields. */
export async function errorOf(response: Response): Promise<Refusal | TransientError> {
  const { status, statusText, headers } = response;
  if (status < 400) {
    return new Refusal(
      `The server redirects to ${headers.get('location')}. Set DARKROOM_URL to that server.`,
    );
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
  // A proxy in front of the service sends no problem body, so its status decides.
  const isTransient = problem?.retryable ?? (status >= 500 || [408, 425, 429].includes(status));
  if (!isTransient) return new Refusal(message, { code });
  return new TransientError(message, { retryAfterMs: 1000 * (Number(headers.get('retry-after')) || 0) });
}

/** Returns true if `fetch` failed because of the connection: it throws a `TypeError` with a cause. */
export const isConnectionError = (error: unknown): error is TypeError =>
  error instanceof TypeError && error.cause !== undefined;

const codesBeforeSending: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Returns true if a failed call may have arrived. Without a trusted connection nothing was sent. */
export function mayHaveArrived({ cause }: TypeError): boolean {
  // A call that `fetch` itself refuses, such as one to a blocked port, has no code.
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  return code !== undefined && !codesBeforeSending.has(code) && !/CERT|TLS|SSL|SIGNATURE/.test(code);
}
