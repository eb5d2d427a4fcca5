import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { announce } from '../harness/questions.ts';

/**
 * The least that a picture takes: the provider is asked, and as many bytes as its picture has go to the storage. Nothing
 * is queued, decoded, checked, signed or kept. Answers when the storage has.
 */
const { PROVIDER_URL = '', BUCKET_URL = '', PICTURE_BYTES = '' } = process.env;
const agent = new Agent();
let count = 0;

async function makePicture(): Promise<void> {
  const answer = await request(`${PROVIDER_URL}/v1/images/generations`, {
    dispatcher: agent,
    method: 'POST',
    body: '{}',
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const { body } = await request(`${BUCKET_URL}/${++count}.png`, {
    dispatcher: agent,
    method: 'PUT',
    body: bytes.subarray(0, Number(PICTURE_BYTES)),
  });
  await body.dump();
}

const server = createServer((asked, response) => {
  asked.resume();
  makePicture().then(
    () => response.end(),
    (error) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
