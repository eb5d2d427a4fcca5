import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handleQueries, reportReady } from '../harness/queries.ts';
import { percentile } from '../harness/statistics.ts';

/**
 * Webhook endpoint that accepts and counts all requests. `/timed` also records the age of each event on arrival.
 * `/hang` never responds. The query `until` resolves when the given number of requests has arrived.
 */
let received = 0;
let agesMs: number[] = [];
let waiting: { count: number; done: () => void } | undefined;

function take(request: IncomingMessage, response: ServerResponse): void {
  request.resume().on('end', () => {
    received += 1;
    response.writeHead(204).end();
    if (waiting && received >= waiting.count) waiting.done();
  });
}

/** The time of an event is near the beginning of its body. */
function recordAge(request: IncomingMessage): void {
  request.once('data', (chunk: Buffer) => {
    const timestamp = /"timestamp":"([^"]+)"/.exec(chunk.toString('latin1', 0, 200))?.[1];
    if (timestamp) agesMs.push(Date.now() - Date.parse(timestamp));
  });
}

const server = createServer((request, response) => {
  if (request.url === '/hang') return;
  if (request.url === '/timed') recordAge(request);
  take(request, response);
});
handleQueries({
  count: () => received,
  ages() {
    const figures = { p50: percentile(agesMs, 0.5), p99: percentile(agesMs, 0.99) };
    agesMs = [];
    return figures;
  },
});
process.on('message', (message) => {
  const { name, no, value = 0 } = message as { name: string; no: number; value?: number };
  if (name !== 'until') return;
  const done = () => {
    waiting = undefined;
    process.send?.({ no, response: received });
  };
  if (received >= value) done();
  else waiting = { count: value, done };
});
server.listen(0, '127.0.0.1', () => reportReady((server.address() as AddressInfo).port));
