import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Scope } from '../../../domain/api-key.ts';
import { asAppError } from '../problem.ts';
import { sendOpenAiError } from './problem.ts';

/** What every route of the OpenAI-compatible API has in common: its scope, its dialect and the form of its errors. */
export function openAiRoute(scope: Scope) {
  return {
    config: { scope, isOpenAi: true },
    errorHandler: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      sendOpenAiError(request, reply, asAppError(error)),
  };
}
