import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { noiseImage, sha256 } from './images.ts';

/** A file that the provider received. */
export interface SentFile {
  readonly field: string;
  readonly name: string;
  readonly type: string;
  readonly sha256: string;
  readonly bytes: Buffer;
}

/** One request that the provider received completely. */
export interface RecordedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Texts of a form, in their order. */
  readonly fields: [name: string, value: string][];
  readonly files: SentFile[];
}

export interface RecordingProvider {
  /** Ends with `/v1`. */
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Variables of a service that calls this provider. */
  readonly env: Record<string, string>;
  /** Replaces the response to the next request. */
  respondOnce(respond: (response: ServerResponse) => void): void;
  close(): Promise<void>;
}

/** Starts an OpenAI-compatible server that records requests and responds with one image. */
export async function startRecordingProvider(): Promise<RecordingProvider> {
  const requests: RecordedRequest[] = [];
  const responders: ((response: ServerResponse) => void)[] = [];
  const image = (await noiseImage(64, 64)).toString('base64');
  const usage = {
    input_tokens: 1_050,
    output_tokens: 196,
    total_tokens: 1_246,
    input_tokens_details: { text_tokens: 26, image_tokens: 1_024 },
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const form = await parseForm(request.headers['content-type'] ?? '', body);
    requests.push({ path: request.url ?? '', headers: request.headers, body, ...form });
    const respond = responders.shift();
    if (respond) return respond(response);
    response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': `req_${requests.length}` });
    response.end(JSON.stringify({ created: 1, data: [{ b64_json: image }], usage }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  return {
    url,
    requests,
    env: { PROVIDER: 'openai', OPENAI_API_KEY: 'sk-test-0000000000', OPENAI_BASE_URL: url },
    respondOnce: (respond) => void responders.push(respond),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function parseForm(
  contentType: string,
  body: Buffer,
): Promise<Pick<RecordedRequest, 'fields' | 'files'>> {
  const fields: [string, string][] = [];
  const files: SentFile[] = [];
  if (!contentType.startsWith('multipart/form-data')) return { fields, files };
  const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
  for (const [field, value] of form) {
    if (typeof value === 'string') fields.push([field, value]);
    else {
      const bytes = Buffer.from(await value.arrayBuffer());
      files.push({ field, name: value.name, type: value.type, sha256: sha256(bytes), bytes });
    }
  }
  return { fields, files };
}
