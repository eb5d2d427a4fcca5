import type { FastifyContextConfig, FastifyInstance, FastifyRequest } from 'fastify';
import { type Caller, covers, type Scope, scopes } from '../../../domain/api-key.ts';
import { AppError } from '../../../domain/errors.ts';
import { clientNetworkOf } from '../../../lib/client-network.ts';
import type { Authenticate } from '../../../usecases/access/authenticate.ts';
import type { LimitRequests } from '../../../usecases/access/limit-requests.ts';
import { openAiQuotaHeaders, quotaHeaders } from '../quota-headers.ts';

export type { Authenticate };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Scope that the caller's key must cover; `any` for every valid key. A route without a scope needs no key. */
    scope?: Scope | 'any';
    /** Whether only the operator's key may call the route. */
    isForOperator?: boolean;
    /** Whether the route is part of the OpenAI-compatible API: it has another key header and ignores unknown query parameters. */
    isOpenAi?: boolean;
  }
  interface FastifyRequest {
    caller: Caller | null;
    /** When the caller was authenticated, on the monotonic clock, in milliseconds. */
    authenticatedAtMs: number;
    /**
     * Checks again that the key may use the route. Rejects like the check at the start of the request; counts nothing. Returns
     * the caller with its latest rules.
     */
    checkAccess: (() => Promise<Caller>) | null;
  }
}

const bearer = /^Bearer +(\S+) *$/i;
/** Maximum length of a header with a key. A longer header contains no valid key. */
const maxHeaderLength = 600;
/** Time for the arrival of a body after which the caller is authenticated again. */
const recheckMs = 1_000;

/**
 * Refuses callers above their limit of requests, and callers without the scope of the route. The checks run before the body
 * is read, and those of the caller again after a body that arrived slowly. Every authenticated request counts, also one that
 * is then refused.
 */
export function useAuthentication(
  app: FastifyInstance,
  { authenticate, limitRequests }: { authenticate: Authenticate; limitRequests: LimitRequests },
): void {
  app.decorateRequest('caller', null);
  app.decorateRequest('authenticatedAtMs', 0);
  app.decorateRequest('checkAccess', null);
  app.addHook('onRequest', async (request, reply) => {
    const { config } = request.routeOptions;
    const { isOpenAi } = config;
    if (!config.scope) return;
    const key =
      bearer.exec(request.headers.authorization?.slice(0, maxHeaderLength) ?? '')?.[1] ??
      (isOpenAi ? apiKeyHeaderOf(request) : undefined);
    if (!key) {
      throw new AppError('unauthorized', { detail: 'Send the API key as: Authorization: Bearer <key>' });
    }
    const caller = await authenticate(key, clientNetworkOf(request.ip));
    const quotas = await limitRequests(caller);
    reply.headers({ ...quotaHeaders(quotas), ...(isOpenAi ? openAiQuotaHeaders(quotas) : {}) });
    checkScope(caller, config);
    request.caller = caller;
    request.authenticatedAtMs = performance.now();
    request.checkAccess = async () => {
      const latest = await authenticate(key, null);
      checkScope(latest, config);
      if (config.scope !== 'any') return latest;
      // Such a route checked at its start the scopes that it needs. It may need each of them.
      for (const scope of scopes) if (covers(caller.scopes, scope)) checkScope(latest, { scope });
      return latest;
    };
  });
  // A form may take half an hour to arrive. Meanwhile the key may be revoked, or a budget lowered.
  app.addHook('preValidation', (request, _reply, done) => {
    const { checkAccess, authenticatedAtMs } = request;
    if (!checkAccess || performance.now() - authenticatedAtMs < recheckMs) return done();
    checkAccess().then((caller) => {
      request.caller = caller;
      done();
    }, done);
  });
}

/** @throws AppError `insufficient_scope` */
function checkScope(caller: Caller, { scope, isForOperator }: FastifyContextConfig): void {
  if (scope && scope !== 'any' && !covers(caller.scopes, scope)) {
    throw new AppError('insufficient_scope', { detail: `This needs a key with the scope ${scope}.` });
  }
  if (isForOperator && !caller.isOperator) {
    throw new AppError('insufficient_scope', { detail: "This needs the operator's key, ADMIN_KEY." });
  }
}

/** Returns the key of clients that send `api-key`, as those of Azure do. */
function apiKeyHeaderOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['api-key'];
  return typeof key === 'string' && /^\S{1,512}$/.test(key) ? key : undefined;
}

/** Returns the caller of a route that declares a scope. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error(`route ${request.routeOptions.url} declares no scope`);
  return request.caller;
}
