import { changeEndpointRoute } from './change-endpoint.ts';
import { createEndpointRoute } from './create-endpoint.ts';
import { getDeliveryRoute } from './get-delivery.ts';
import { getEndpointRoute } from './get-endpoint.ts';
import { getSecretRoute } from './get-secret.ts';
import { listDeliveriesRoute } from './list-deliveries.ts';
import { listEndpointsRoute } from './list-endpoints.ts';
import { recoverEndpointRoute } from './recover-endpoint.ts';
import { redeliverRoute } from './redeliver.ts';
import { removeEndpointRoute } from './remove-endpoint.ts';
import { rotateSecretRoute } from './rotate-secret.ts';
import { testEndpointRoute } from './test-endpoint.ts';

/** Routes of webhooks in the order of the documentation. */
export const webhookRoutes = [
  createEndpointRoute,
  listEndpointsRoute,
  getEndpointRoute,
  changeEndpointRoute,
  removeEndpointRoute,
  rotateSecretRoute,
  testEndpointRoute,
  recoverEndpointRoute,
  listDeliveriesRoute,
  getDeliveryRoute,
  redeliverRoute,
  getSecretRoute,
] as const;
