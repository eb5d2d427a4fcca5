import { expect, onTestFinished, vi } from 'vitest';
import type { DeliveryView, EndpointView } from '../../src/domain/webhook-view.ts';
import type { TestService } from './service.ts';
import { type Received, startEndpointServer } from './webhook-endpoints.ts';

export type NewEndpoint = EndpointView & { secret: string };

/** Starts a webhook endpoint that sends the given responses. It ends with the test. */
export async function receive(statusOf: (no: number) => number = () => 204, body = 'thanks') {
  let no = 0;
  const endpointServer = await startEndpointServer((_request, response) => {
    no += 1;
    response.writeHead(statusOf(no)).end(body);
  });
  onTestFinished(endpointServer.close);
  return { ...endpointServer, url: `http://127.0.0.1:${endpointServer.port}/hook` };
}

/** Waits until the given number of webhooks has arrived. */
export const arrived = (requests: readonly Received[], count: number) =>
  vi.waitFor(() => expect(requests.length).toBeGreaterThanOrEqual(count), { timeout: 15_000 });

/** Registers an endpoint and removes it when the test ends. */
export async function register(service: TestService, body: object): Promise<NewEndpoint> {
  const response = await service.acme.post('/webhooks/endpoints').send(body).expect(201);
  onTestFinished(async () => void (await service.acme.delete(`/webhooks/endpoints/${response.body.id}`)));
  return response.body;
}

/** Returns the delivery log. */
export async function deliveriesBy(service: TestService, query: string): Promise<DeliveryView[]> {
  const { body } = await service.acme.get(`/webhooks/deliveries?${query}`).expect(200);
  return body.data;
}
