import { expect, onTestFinished, vi } from 'vitest';
import type { DeliveryView, EndpointView } from '../../src/domain/webhook-view.ts';
import type { TestService } from './service.ts';
import { type Received, startEndpointServer } from './webhook-endpoints.ts';

export type NewEndpoint = EndpointView & { secret: string };

/** A receiver that ends with its test and answers as told. */
export async function receive(statusOf: (no: number) => number = () => 204, body = 'thanks') {
  let no = 0;
  const endpointServer = await startEndpointServer((_request, response) => {
    no += 1;
    response.writeHead(statusOf(no)).end(body);
  });
  onTestFinished(endpointServer.close);
  return { ...endpointServer, url: `http://127.0.0.1:${endpointServer.port}/hook` };
}

/** Waits until so many webhooks are there. */
export const arrived = (requests: readonly Received[], count: number) =>
  vi.waitFor(() => expect(requests.length).toBeGreaterThanOrEqual(count), { timeout: 15_000 });

/** An endpoint that is removed with its test. */
export async function register(service: TestService, body: object): Promise<NewEndpoint> {
  const response = await service.acme.post('/webhooks/endpoints').send(body).expect(201);
  onTestFinished(async () => void (await service.acme.delete(`/webhooks/endpoints/${response.body.id}`)));
  return response.body;
}

/** The log of deliveries. */
export async function deliveriesBy(service: TestService, query: string): Promise<DeliveryView[]> {
  const { body } = await service.acme.get(`/webhooks/deliveries?${query}`).expect(200);
  return body.data;
}
