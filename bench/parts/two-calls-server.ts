import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reportReady } from '../harness/queries.ts';
import { generateImage } from './generate-image.ts';

/** Generates an image for every request and responds when it is stored. There is no queue and no job. */
let count = 0;

const server = createServer((request, response) => {
  request.resume();
  generateImage(String(++count)).then(
    () => response.end(),
    (error) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => reportReady((server.address() as AddressInfo).port));
