import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Scope } from '../../../domain/api-key.ts';
import { asAppError } from '../problem.ts';
import { sendOpenAiError } from './problem.ts';

/** Returns the common options of routes of the OpenAI-compatible API: scope, dialect and form of errors. */
export function openAiRoute(scope: Scope) {
  return {
    config: { scope, isOpenAi: true },
    errorHandler: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      sendOpenAiError(request, reply, { error: asAppError(error, request.routeOptions.bodyLimit) }),
  };
}
