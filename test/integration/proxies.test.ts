import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createOpenAIProvider } from '../../src/outbound/providers/openai/images/openai-provider.ts';
import { createS3Storage } from '../../src/outbound/storage/s3/s3-storage.ts';

/** Starts a proxy that tunnels by CONNECT to one server, whatever the requested host, and records the requests. */
async function startProxy(target: Server) {
  const tunnels: { host: string | undefined; authorization: string | undefined }[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket, head) => {
    tunnels.push({ host: request.url, authorization: request.headers['proxy-authorization'] });
    const upstream = connect((target.address() as AddressInfo).port, '127.0.0.1');
    upstream.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) upstream.write(head);
      socket.pipe(upstream).pipe(socket);
    });
    for (const each of [socket, upstream]) each.on('error', () => undefined);
  });
  return { url: `http://user:pa55@127.0.0.1:${await listen(proxy)}`, tunnels };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const authorization = `Basic ${Buffer.from('user:pa55').toString('base64')}`;

it('sends calls to the provider through the proxy, with its credentials and the query of the base URL', async () => {
  const paths: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url);
    response.setHeader('content-type', 'application/json').end('{"object":"list","data":[]}');
  });
  await listen(server);
  const { url, tunnels } = await startProxy(server);
  const provider = createOpenAIProvider({
    name: 'openai',
    apiKey: 'sk-x',
    baseUrl: 'http://llm.example/v1?api-version=2026-01-01',
    proxy: url,
  });
  onTestFinished(() => provider.close());
  expect(await provider.check()).toContain('accepts the key');
  expect(tunnels).toEqual([{ host: 'llm.example:80', authorization }]);
  expect(paths).toEqual(['/v1/models?api-version=2026-01-01']);
});

it('reports a base URL that returns a web page, with the address that is probably meant', async () => {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Open WebUI</title>'),
  );
  const port = await listen(server);
  const provider = createOpenAIProvider({
    name: 'openai',
    apiKey: 'sk-x',
    baseUrl: `http://127.0.0.1:${port}`,
  });
  onTestFinished(() => provider.close());
  await expect(provider.check()).rejects.toThrow(
    `returns a web page, not the OpenAI API. Set OPENAI_BASE_URL to http://127.0.0.1:${port}/v1`,
  );
});

it('sends calls to S3 through the proxy, with its credentials', async () => {
  const server = createServer((_request, response) => response.setHeader('x-amz-request-id', '1').end());
  await listen(server);
  const { url, tunnels } = await startProxy(server);
  const storage = createS3Storage({
    bucket: 'images',
    region: 'us-east-1',
    endpoint: 'http://s3.example:9000',
    accessKeyId: 'id',
    secretAccessKey: 'secret',
    proxy: url,
  });
  onTestFinished(() => storage.close());
  await storage.check();
  expect(tunnels).toEqual([{ host: 's3.example:9000', authorization }]);
});
