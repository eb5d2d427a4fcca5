import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../support/command-line.ts';
import { leftHalfMask } from '../support/edit-inputs.ts';
import { noiseImage, sha256 } from '../support/images.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { compiledProgram, systemEnvironment } from '../support/service-process.ts';

// Every command is a separate process.
vi.setConfig({ testTimeout: 60_000 });

let service: TestService;
let cwd: string;
let photo: Buffer;
beforeAll(async () => {
  service = await startService();
  // The folder is removed with the data of the service.
  cwd = join(service.dataDir, 'command');
  await mkdir(cwd);
  photo = await noiseImage(320, 200);
  await writeFile(join(cwd, 'photo.png'), photo);
  await writeFile(join(cwd, 'mask.png'), await leftHalfMask(320, 200));
  await writeFile(join(cwd, 'half.png'), photo.subarray(0, photo.length / 2));
  return service.close;
});

const generate = (...args: string[]) =>
  runCommand(['generate', 'A fox', ...args], {
    cwd,
    env: { DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme },
  });

describe('darkroom generate --image', () => {
  it('sends images and a mask from the disk and saves the edit', async () => {
    const options = ['--image', 'photo.png', '--image', 'photo.png', '--mask', 'mask.png', '--n', '1'];
    const { code, stdout, stderr } = await generate(...options, '--json', '--out', 'edited.png');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`Sending image photo.png (${photo.length} bytes), image photo.png`);
    const job = await service.acme.job(JSON.parse(stdout).id);
    expect(job.inputs.map(({ role }) => role)).toEqual(['image', 'image', 'mask']);
    const call = service.studio.calls.at(-1);
    expect(call).toMatchObject({ path: '/v1/images/edits', status: 200 });
    expect(call?.inputs[1]).toMatchObject({ param: 'image[1]', sha256: sha256(photo) });
  });

  it('names the file that the service refuses', async () => {
    const { code, stderr } = await generate('--image', 'photo.png', '--image', 'half.png');
    expect(code).toBe(1);
    expect(stderr).toContain('input_invalid: ');
    expect(stderr).toContain('\n  --image half.png: ');
  });

  it('names the file that it cannot read, and submits nothing', async () => {
    const before = (await service.acme.get('/images')).body.data.length;
    const [missing, alone] = await Promise.all([
      generate('--image', 'none.png'),
      generate('--mask', 'mask.png'),
    ]);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--image none.png cannot be read'),
    });
    expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining('--mask needs an --image') });
    expect((await service.acme.get('/images')).body.data).toHaveLength(before);
  });

  it('uses a preset that works on images, which is refused without one', async () => {
    const preset = ['--preset', 'avatar-from-photo', '--json'];
    const [refused, accepted] = await Promise.all([
      generate(...preset),
      generate(...preset, '--image', 'photo.png', '--wait'),
    ]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/images: must hold at least one image'),
    });
    expect(JSON.parse(accepted.stdout)).toMatchObject({ status: 'succeeded' });
    const { body } = await service.acme.get('/presets');
    const requirements = body.data.map((each: { name: string; requires_images: number }) => [
      each.name,
      each.requires_images,
    ]);
    expect(requirements).toContainEqual(['avatar-from-photo', 1]);
    expect(requirements).toContainEqual(['avatar', 0]);
  });
});

describe('docs/edits.md', () => {
  it('shows commands that work as pasted, with the files that they name', async () => {
    const page = await readFile(new URL('../../docs/edits.md', import.meta.url), 'utf8');
    const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
      .map(([, block = '']) => block)
      // These need ids of the reader, or the Redis of an operator.
      .filter((block) => !/upl_\.\.\.|redis-cli/.test(block));
    expect(commands).toHaveLength(6);
    const folder = join(cwd, 'pasted');
    await mkdir(folder);
    await sharp(photo).jpeg().toFile(join(folder, 'photo.jpg'));
    await sharp(photo).jpeg().toFile(join(folder, 'harbor.jpg'));
    for (const name of ['style', 'portrait', 'bottle', 'ranger'])
      await writeFile(join(folder, `${name}.png`), photo);
    await writeFile(join(folder, 'neck.png'), await leftHalfMask(320, 200));

    const env = { ...systemEnvironment(), DARKROOM_URL: service.url, DARKROOM_API_KEY: testKeys.acme };
    const text = ['set -e', ...commands]
      .join('\n')
      .replaceAll('npm run darkroom --', `'${process.execPath}' '${compiledProgram('main')}'`)
      .replaceAll('http://localhost:8080', service.url)
      .replaceAll('curl ', 'curl -sSf ');
    const { stdout } = await promisify(execFile)('sh', ['-c', text], { cwd: folder, env });
    expect(stdout).toContain('"role":"image"');
    const outputs = ['edited', 'scarf', 'avatar', 'artwork', 'ad', 'ranger-bow'];
    for (const name of outputs) {
      const { format } = await sharp(join(folder, `${name}.png`)).metadata();
      expect(format, name).toBe('png');
    }
  });
});
