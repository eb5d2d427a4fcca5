import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../support/service.ts';
import { type Received, startEndpointServer } from '../support/webhook-endpoints.ts';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/webhooks.md'), 'utf8');

/** Returns the programs of a language in docs/webhooks.md, from top to bottom. */
function programs(language: string): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, code]) => code ?? '',
  );
}

let service: TestService;
let folder: string;
let delivered: Received;
let secret: string;

beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  // Inside the project, so that imports find its packages.
  folder = await mkdtemp(join(root, 'node_modules', '.docs-'));
  const endpointServer = await startEndpointServer();
  const url = `http://127.0.0.1:${endpointServer.port}/hooks`;
  const { body } = await service.acme.post('/webhooks/endpoints').send({ url }).expect(201);
  secret = body.secret;
  const test = await service.acme.post(`/webhooks/endpoints/${body.id}/test`).expect(200);
  expect(test.body.status).toBe('delivered');
  const [first] = endpointServer.requests;
  if (!first) throw new Error('no delivery arrived');
  delivered = first;
  await endpointServer.close();
});
afterAll(async () => {
  await service.close();
  await rm(folder, { recursive: true, force: true });
});

const headers = () =>
  Object.fromEntries(Object.entries(delivered.headers).filter(([name]) => name.startsWith('webhook-')));
const flipped = (text: string) => text.replace('webhook.test', 'webhook.tesu');

describe('programs of docs/webhooks.md', () => {
  it.each(programs('ts').map((code, i) => [i + 1, code] as const))(
    'TypeScript program %i of docs/webhooks.md accepts a signed delivery and refuses a changed or old one',
    async (no, code) => {
      const file = join(folder, `receiver-${no}.ts`);
      await writeFile(file, code);
      const { verify } = (await import(file)) as {
        verify: (secret: string, headers: Record<string, string>, body: string) => unknown;
      };
      const received = headers() as Record<string, string>;
      expect(verify(secret, received, delivered.body)).toMatchObject({ type: 'webhook.test' });
      expect(() => verify(secret, received, flipped(delivered.body))).toThrow();
      expect(() =>
        verify(secret, { ...received, 'webhook-timestamp': '1700000000' }, delivered.body),
      ).toThrow();
    },
  );

  it('the Python program of docs/webhooks.md accepts a signed delivery and refuses a changed one', async (context) => {
    const python = await run('python3', ['--version']).catch(() => null);
    if (!python) context.skip('python3 is not installed');
    const [, byHand = ''] = programs('python');
    const file = join(folder, 'receiver.py');
    const call = `
import sys
given = json.load(sys.stdin)
try:
    print("genuine", verify(given["secret"], given["headers"], given["body"].encode())["type"])
except ValueError as error:
    print("refused", error)
`;
    await writeFile(file, byHand + call);
    const verdictOn = async (body: string) => {
      const child = run('python3', [file]);
      child.child.stdin?.end(JSON.stringify({ secret, headers: headers(), body }));
      return (await child).stdout.trim();
    };
    expect(await verdictOn(delivered.body)).toBe('genuine webhook.test');
    expect(await verdictOn(flipped(delivered.body))).toBe('refused no signature matches');
  });

  it('docs/webhooks.md shows the verification with and without a library in three languages', () => {
    for (const language of ['ts', 'python', 'go']) expect(programs(language), language).toHaveLength(2);
  });
});
