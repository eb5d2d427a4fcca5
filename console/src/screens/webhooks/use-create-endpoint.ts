import type { NewWebhookEndpoint } from '../../api/types.ts';
import { useCreation } from '../../api/use-creation.ts';

/** Returns a function that registers an endpoint. */
export function useCreateEndpoint() {
  return useCreation<NewWebhookEndpoint>({
    path: '/webhooks/endpoints',
    secret: 'secret',
    rotate: 'rotate-secret',
  });
}
