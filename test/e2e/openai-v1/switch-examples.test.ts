import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { clearMask, noiseImage } from '../../support/images.ts';
import { startService, type TestService } from '../../support/service.ts';
import { testKeys } from '../../support/service-environment.ts';
import { systemEnvironment } from '../../support/service-process.ts';
import { exampleFolder, runExample } from '../../support/switch-examples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/openai-compatible.md'), 'utf8');
const readme = readFileSync(join(exampleFolder, 'README.md'), 'utf8');

interface RecordedRequest {
  readonly client: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  /** Parts of a form, with the header lines that the client writes. */
  readonly form?: readonly {
    readonly head: readonly string[];
    readonly text?: string;
    readonly file?: string;
  }[];
}
const recorded: RecordedRequest[] = JSON.parse(
  readFileSync(join(exampleFolder, 'recorded-requests.json'), 'utf8'),
);

let service: TestService;
beforeAll(async () => {
  // The value is the one that the page recommends.
  const [, map = ''] = /V1_MODEL_MAP='([^']+)'/.exec(page) ?? [];
  service = await startService({ V1_MODEL_MAP: map });
  return service.close;
});

/** Runs shell commands of a page against the service, in a folder with the files that they name. */
async function shell(commands: string, cwd?: string): Promise<unknown> {
  const text = commands.replaceAll('http://localhost:8080', service.url);
  const env = { ...systemEnvironment(), OPENAI_API_KEY: testKeys.acme };
  const { stdout } = await run('sh', ['-c', text], { cwd, env, maxBuffer: 16_777_216 });
  return JSON.parse(stdout);
}

const isPng = (base64: string) => Buffer.from(base64, 'base64').subarray(1, 4).toString() === 'PNG';

describe('examples/switch', () => {
  it('shows a difference of one line for every client', () => {
    const blocks = [...readme.matchAll(/```diff\n([\s\S]*?)```/g)].map(([, block = '']) => block.split('\n'));
    expect(blocks).toHaveLength(7);
    for (const lines of blocks) {
      expect(lines.filter((line) => line.startsWith('+'))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('-')).length).toBeLessThanOrEqual(1);
    }
  });

  it('contains the line of each difference in the program that it names', () => {
    const programs = readdirSync(exampleFolder).filter((name) => /\.(ts|py|sh)$/.test(name));
    expect(programs).toHaveLength(5);
    for (const name of programs) {
      const [, block = ''] = readme.split(`](${name})`)[1]?.match(/```diff\n([\s\S]*?)```/) ?? [];
      const [added = ''] = block.split('\n').filter((line) => line.startsWith('+'));
      expect(readFileSync(join(exampleFolder, name), 'utf8')).toContain(`\n${added.slice(1)}`.trimStart());
    }
  });

  it('openai.ts saves an image', async () => {
    const { files } = await runExample('openai.ts', { service: service.url, packages: root });
    expect(files['fox.png']?.subarray(1, 4).toString()).toBe('PNG');
  });

  it('curl.sh prints an image', async () => {
    const body = await shell(readFileSync(join(exampleFolder, 'curl.sh'), 'utf8'));
    expect(body).toMatchObject({ data: [{ b64_json: expect.any(String) }] });
  });

  it.each(recorded)('the request of $client gets an image', async ({ path, headers, body, form }) => {
    const files: Record<string, Buffer> = {
      photo: await noiseImage(320, 200),
      mask: await clearMask(320, 200),
    };
    const parts = form?.flatMap(({ head, text = '', file }) => [
      Buffer.from(`--boundary\r\n${head.join('\r\n')}\r\n\r\n`),
      (file && files[file]) || Buffer.from(text),
      Buffer.from('\r\n'),
    ]);
    const response = await fetch(service.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${testKeys.acme}`,
        'content-type': parts ? 'multipart/form-data; boundary=boundary' : 'application/json',
        ...headers,
      },
      body: parts
        ? new Uint8Array(Buffer.concat([...parts, Buffer.from('--boundary--\r\n')]))
        : JSON.stringify(body),
    });
    const result = (await response.json()) as { data: { b64_json: string }[] };
    expect(response.status).toBe(200);
    expect(result.data.map(({ b64_json }) => isPng(b64_json))).toEqual([true]);
  });
});

describe('docs/openai-compatible.md', () => {
  const commands = [...page.matchAll(/```sh\n(curl [\s\S]*?)```/g)].map(([, command = '']) => command);

  it('shows a curl command that generates its images', async () => {
    expect(await shell(commands[0] ?? '')).toMatchObject({ data: [{}, {}] });
  });

  it('shows a curl command that edits images', async () => {
    expect(commands).toHaveLength(2);
    const folder = await temporaryFolder();
    const photo = sharp(await noiseImage(320, 200));
    await photo.clone().jpeg().toFile(join(folder, 'mug.jpg'));
    await photo.clone().png().toFile(join(folder, 'logo.png'));
    expect(await shell(commands[1] ?? '', folder)).toMatchObject({ data: [{}] });
    expect(service.studio.calls.at(-1)).toMatchObject({
      path: '/v1/images/edits',
      inputs: [{ param: 'image[0]' }, { param: 'image[1]' }],
    });
  });
});
