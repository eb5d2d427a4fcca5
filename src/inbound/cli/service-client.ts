import type { Darkroom } from '../../../clients/typescript/src/index.ts';
import type { CliContext } from './context.ts';

/** Failure of a command that certainly had no effect, because no service was reached. */
export class UnreachableError extends Error {}

/**
 * Returns a client of the service that the environment names. It retries calls during a short outage, unless the service never
 * responded.
 *
 * @param say prints why the command waits.
 */
export async function openClient(context: CliContext, say = context.printError): Promise<Darkroom> {
  const { url, apiKey } = context.client();
  if (!apiKey) {
    throw new UnreachableError(
      'Missing API key. Set DARKROOM_API_KEY, create one with: darkroom keys create --tenant NAME, or start `darkroom dev` in this folder.',
    );
  }
  /** Whether a service responded, or may have received a call. */
  let wasReached = false;
  const { Darkroom } = await import('../../../clients/typescript/src/index.ts');
  const { username, password } = new URL(url);
  if (username || password) throw new Error('DARKROOM_URL must not contain a user or a password.');
  return new Darkroom({
    apiKey,
    baseUrl: url,
    onRetry: ({ error, attempt }) => attempt === 1 && say(`${error.message}. Retrying.`),
    async fetch(input, init) {
      try {
        const response = await fetch(input, init);
        wasReached = true;
        return response;
      } catch (error) {
        wasReached ||= !isConnectionError(error) || mayHaveArrived(error);
        if (wasReached) throw error;
        throw new UnreachableError(`No service responds at ${url}. Start one with: darkroom dev`, {
          cause: error,
        });
      }
    },
  });
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
