import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { announce, answerQuestions } from '../harness/questions.ts';

/** A receiver of webhooks that takes everything and counts. `received` answers once so many have come in all. */
let received = 0;
let waiting: { count: number; done: () => void } | undefined;

const server = createServer((request, response) => {
  request.resume().on('end', () => {
    received += 1;
    response.writeHead(204).end();
    if (waiting && received >= waiting.count) waiting.done();
  });
});
answerQuestions({
  count: () => received,
});
process.on('message', (message) => {
  const { ask, no, value = 0 } = message as { ask: string; no: number; value?: number };
  if (ask !== 'until') return;
  const done = () => {
    waiting = undefined;
    process.send?.({ no, answer: received });
  };
  if (received >= value) done();
  else waiting = { count: value, done };
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
