import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { leftHalfMask } from '../support/edit-inputs.ts';
import { noiseImage } from '../support/images.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { endOf, type ProcessEnd, systemEnvironment } from '../support/service-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const webhookSecret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;

let service: TestService;
beforeAll(async () => {
  service = await startService({ WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_SECRET: webhookSecret });
});
afterAll(() => service.close());

interface Example {
  readonly child: ChildProcess;
  readonly ended: Promise<ProcessEnd>;
  /** Returns the output so far. */
  printed(): string;
  /** Resolves with the first match of a pattern in the output. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Runs a program of the examples folder as a user would. */
function run(name: string, programArguments: string[], env: Record<string, string>): Example {
  const program = join(import.meta.dirname, `../../examples/${name}.ts`);
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), program, ...programArguments],
    {
      env: { ...systemEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let text = '';
  let onOutput = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      onOutput();
    });
  }
  return {
    child,
    ended: endOf(child),
    printed: () => text,
    async prints(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match) return match;
        await new Promise<void>((resolve) => {
          onOutput = resolve;
        });
      }
    },
  };
}

const reach = (url: string) => ({ DARKROOM_URL: url, DARKROOM_API_KEY: testKeys.acme });

describe('examples/generate-image.ts', () => {
  it('submits a job, waits for its image and saves it', async () => {
    const file = join(await temporaryFolder(), 'fox.png');
    const example = run('generate-image', ['A fox [studio:latency=500]', file], reach(service.url));

    expect(await example.ended).toEqual({ code: 0, signal: null });
    expect(example.printed()).toMatch(
      /^img_\w+ accepted\nimg_\w+ succeeded\n.*fox\.png 1024x1024, cost 0\.\d+ USD\n$/,
    );
    expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 1024, height: 1024 });
  });

  it('prints the error code of a failed job and exits with 1', async () => {
    const example = run('generate-image', ['Something [studio:moderation]'], reach(service.url));

    expect((await example.ended).code).toBe(1);
    expect(example.printed()).toContain('moderation_blocked');
  });
});

describe('examples/edit-image.ts', () => {
  it('edits a photo with a mask, saves the image and erases the job', async () => {
    const folder = await temporaryFolder();
    const [photo, mask, file] = ['photo.png', 'mask.png', 'edited.png'].map((name) => join(folder, name));
    await writeFile(photo ?? '', await noiseImage(320, 320));
    await writeFile(mask ?? '', await leftHalfMask(320, 320));
    const example = run('edit-image', ['As a watercolor', photo, file, mask].map(String), reach(service.url));

    expect(await example.ended, example.printed()).toEqual({ code: 0, signal: null });
    const [, id = ''] =
      /^image 320x320 \w{8}\nmask 320x320 \w{8}\n.*\n(img_\w+) erased\n$/.exec(example.printed()) ?? [];
    expect(await sharp(file).metadata()).toMatchObject({ format: 'png' });
    expect((await service.acme.get(`/images/${id}`)).status).toBe(410);
  });
});

describe('examples/follow-events.ts', () => {
  it('prints every event once although the connection breaks after each event', async () => {
    const job = await service.acme.submit({ prompt: 'Followed [studio:latency=1500]' });
    const fragile = await startFragileProxy(service.url);
    const example = run('follow-events', [job.id], reach(fragile.url));

    expect(await example.ended).toEqual({ code: 0, signal: null });
    const events = [...example.printed().matchAll(/^\S+Z (image\.\S+)/gm)].map(([, type]) => type);
    expect(events[0]).toBe('image.queued');
    expect(events.at(-1)).toBe('image.succeeded');
    expect(events.filter((type) => type !== 'image.progress')).toEqual([
      'image.queued',
      'image.started',
      'image.succeeded',
    ]);
    expect(fragile.connections()).toBe(events.length);
    const ended = await service.acme.ended(job.id);
    expect(example.printed()).toContain(`/files/acme/${ended.id}/0`);
  });
});

describe('examples/receive-webhook.ts', () => {
  it('prints signed events, refuses a forged one, and exits on SIGTERM', async () => {
    const example = run('receive-webhook', [], { PORT: '0', WEBHOOK_SECRET: webhookSecret });
    const [, port] = await example.prints(/listening on port (\d+)/);
    const url = `http://127.0.0.1:${port}/hooks`;

    const { id } = await service.acme.submit({
      prompt: 'A job with a webhook',
      webhook: { url, events: ['image.succeeded'] },
    });
    await example.prints(new RegExp(`image\\.succeeded ${id} http\\S+/files/acme/${id}/0`));
    const forged = await fetch(url, {
      method: 'POST',
      headers: {
        'webhook-id': 'evt_1',
        'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
        'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
      },
      body: JSON.stringify({ type: 'image.succeeded', data: { id: 'img_forged', images: [] } }),
    });
    example.child.kill('SIGTERM');

    expect(forged.status).toBe(400);
    expect(await example.ended).toEqual({ code: 0, signal: null });
    expect(example.printed()).not.toContain('img_forged');
  });
});

/** Starts a proxy that closes every event stream after its first event. */
async function startFragileProxy(target: string): Promise<{ url: string; connections(): number }> {
  let connections = 0;
  const proxy = createServer((incoming, outgoing) => {
    connections += 1;
    const { method, headers, url = '' } = incoming;
    const upstream = httpRequest(new URL(url, target), { method: method ?? 'GET', headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const firstEvent = /^[\s\S]*?\ndata: .*\n\n/.exec(text)?.[0];
        if (firstEvent === undefined) return;
        response.removeAllListeners('data').destroy();
        outgoing.write(firstEvent, () => outgoing.destroy());
      });
      response.on('error', () => undefined);
    });
    upstream.end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    connections: () => connections,
  };
}
