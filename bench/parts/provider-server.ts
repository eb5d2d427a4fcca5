import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handleQueries, reportReady } from '../harness/queries.ts';
import { noisyPng } from './noisy-png.ts';

/** Responds to `POST /v1/images/generations` with the same 1024x1024 PNG after a set latency. Generates no images. */
const latencyMs = Number(process.env.LATENCY_MS);
const image = noisyPng(1024, 1024);
const body = Buffer.from(
  JSON.stringify({
    created: 1_795_000_000,
    data: [{ b64_json: image.toString('base64') }],
    usage: { input_tokens: 20, output_tokens: 4160, total_tokens: 4180 },
  }),
);
const held: ServerResponse[] = [];
let holdUntil = 0;

function send(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

// Clients without retries would see connections that close while idle.
const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume();
  request.once('end', () => {
    if (holdUntil === 0) {
      setTimeout(send, latencyMs, response);
      return;
    }
    held.push(response);
    if (held.length >= holdUntil) for (const waiting of held.splice(0)) send(waiting);
  });
});

handleQueries({
  imageSizeBytes: () => image.length,
  holdUntil(requests) {
    holdUntil = requests;
  },
});
server.listen(0, '127.0.0.1', () => reportReady((server.address() as AddressInfo).port));
