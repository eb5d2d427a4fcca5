import type { FastifyRequest } from 'fastify';
import type { Author } from '../../domain/audit.ts';
import { type Manager, managerOf as managerOfCaller } from '../../usecases/access/manager.ts';
import { callerOf } from './plugins/authenticate.ts';

/** Returns the caller of a route with the scope `admin` as the author of changes. */
export function managerOf(request: FastifyRequest): Manager {
  return managerOfCaller(callerOf(request), { address: request.ip, requestId: request.id });
}

/** Returns the caller of a route as the author of an erasure in its tenant. */
export function authorOf(request: FastifyRequest): Author {
  const { tenant, keyId } = callerOf(request);
  return { tenant, actor: { kind: 'caller', tenant, keyId, address: request.ip, requestId: request.id } };
}
