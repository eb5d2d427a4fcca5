import type { FastifyInstance } from 'fastify';
import type { ResumeProvider } from '../../../../usecases/maintenance/resume-provider.ts';
import { authorOf } from '../../manager.ts';
import { json, problems } from '../../responses.ts';

interface Deps {
  readonly maintenance: { readonly resumeProvider: ResumeProvider };
}

/** `POST /admin/providers/{scope}/resume` */
export function resumeProviderRoute(app: FastifyInstance, { maintenance }: Deps): void {
  app.route<{ Params: { scope: string } }>({
    method: 'POST',
    url: '/admin/providers/:scope/resume',
    config: { scope: 'admin', isForOperator: true },
    schema: {
      operationId: 'resumeProvider',
      summary: 'Close the circuit breaker of a provider',
      description:
        "Needs the operator's key. The next call in the scope reaches the provider at once. A breaker that is not open stays closed. A scope that cannot exist is not found, and the response names the open ones. An entry of the audit log records the change.",
      tags: ['operations'],
      params: {
        type: 'object',
        properties: {
          scope: {
            type: 'string',
            minLength: 1,
            maxLength: 512,
            description: 'Account or model of a provider, percent-encoded, for example `openai:account`.',
          },
        },
        required: ['scope'],
      },
      response: {
        200: json('The breaker is closed', 'ResumedScope'),
        ...problems({ params: true }, 'not_found'),
      },
    },
    handler: async (request) => {
      const { scope } = request.params;
      const wasOpen = await maintenance.resumeProvider(authorOf(request).actor, scope);
      return { object: 'circuit_breaker', scope, state: 'closed', was_open: wasOpen };
    },
  });
}
