import { Readable } from 'node:stream';
import { request } from 'undici';
import { handleQueries, reportReady } from '../harness/queries.ts';
import { noisyPng } from './noisy-png.ts';

/**
 * Sends edits with large files to a service, in a process of its own, so that its work does not count as the service's. Sends
 * the same bytes to a server that only receives them, for comparison.
 */
const { SERVICE_URL = '', SINK_URL = '', AUTHORIZATION = '', EDGE = '', FILES = '' } = process.env;
const boundary = 'bench-boundary';
const chunkBytes = 64 * 1024;
const image = noisyPng(Number(EDGE), Number(EDGE), 0);

const fieldPart = (name: string, value: string) =>
  Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
const fileHead = Buffer.from(
  `--${boundary}\r\ncontent-disposition: form-data; name="image[]"; filename="a.png"\r\n\r\n`,
);
const lineEnd = Buffer.from('\r\n');
const parts: readonly Buffer[] = [
  fieldPart('prompt', 'All of these in one room'),
  ...Array.from({ length: Number(FILES) }, () => [fileHead, image, lineEnd]).flat(),
  Buffer.from(`--${boundary}--\r\n`),
];

function* chunks(): Generator<Buffer> {
  for (const part of parts)
    for (let at = 0; at < part.length; at += chunkBytes) yield part.subarray(at, at + chunkBytes);
}

const size = String(parts.reduce((sum, part) => sum + part.length, 0));

async function send(url: string): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await request(`${url}/images`, {
    method: 'POST',
    headers: {
      authorization: AUTHORIZATION,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': size,
    },
    body: Readable.from(chunks()),
    headersTimeout: 600_000,
  });
  return { status: statusCode, text: await body.text() };
}

/** Sends one edit. @returns the id of its job. */
async function sendEdit(): Promise<string> {
  const { status, text } = await send(SERVICE_URL);
  if (status !== 202) throw new Error(`an edit was not accepted: ${status} ${text}`);
  return (JSON.parse(text) as { id: string }).id;
}

handleQueries({
  fileBytes: () => image.length,
  sendEdits: (count) => Promise.all(Array.from({ length: count }, sendEdit)),
  sendToSink: (count) => Promise.all(Array.from({ length: count }, () => send(SINK_URL))),
});
// The process has no server, so the channel has to keep it alive.
process.channel?.ref();
reportReady();
