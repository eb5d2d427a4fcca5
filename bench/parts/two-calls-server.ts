import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { announce } from '../harness/questions.ts';
import { makePicture } from './generate-image.ts';

/** Makes a picture for every request and answers when it is stored: no queue, no job. */
let count = 0;

const server = createServer((asked, response) => {
  asked.resume();
  makePicture(String(++count)).then(
    () => response.end(),
    (error) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
