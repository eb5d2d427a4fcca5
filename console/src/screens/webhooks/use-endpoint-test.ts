import { useCallback, useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import type { WebhookDelivery } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { useSession } from '../../lib/context.ts';

/** The last test of an endpoint. */
export interface EndpointTest {
  readonly endpointId: string | null;
  readonly isBusy: boolean;
  readonly result: WebhookDelivery | null;
  readonly error: ApiError | null;
}

const noTest: EndpointTest = { endpointId: null, isBusy: false, result: null, error: null };

/** Sends `webhook.test` to an endpoint and holds the response of the endpoint. */
export function useEndpointTest(): { test: EndpointTest; send: (endpointId: string) => Promise<void> } {
  const { api } = useSession();
  const [test, setTest] = useState(noTest);
  const send = useCallback(
    async (endpointId: string) => {
      setTest({ ...noTest, endpointId, isBusy: true });
      try {
        const path = `/webhooks/endpoints/${endpointId}/test`;
        const result = await api.call<WebhookDelivery>(path, { method: 'POST' });
        setTest({ ...noTest, endpointId, result });
      } catch (error) {
        setTest({ ...noTest, endpointId, error: asApiError(error) });
      }
    },
    [api],
  );
  return { test, send };
}
