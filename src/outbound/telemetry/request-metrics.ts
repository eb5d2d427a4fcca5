import { Histogram, type Registry } from 'prom-client';
import { durationBuckets } from './duration-buckets.ts';

/** An HTTP request that was responded to. */
export interface ObservedRequest {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

/** Creates the metrics of HTTP requests. @returns a function that counts a request. */
export function createRequestMetrics(registers: Registry[]): (request: ObservedRequest) => void {
  const requests = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Requests by route, method and status',
    labelNames: ['http_route', 'http_request_method', 'http_response_status_code'],
    buckets: durationBuckets,
    registers,
  });
  const requestSeries = new Map<string, ReturnType<typeof requests.labels>>();
  return ({ route, method, status, seconds }) => {
    // Cached, because finding the labels takes longer than counting.
    const name = `${method} ${status} ${route}`;
    const series = requestSeries.get(name) ?? requests.labels(route, method, String(status));
    requestSeries.set(name, series);
    series.observe(seconds);
  };
}
