import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { clearMask, noiseImage, sha256 } from '../support/images.ts';
import { loadPythonClient } from '../support/openai-python.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';
import { runPythonExample } from '../support/switch-examples.ts';

/** Drives the official client for Python through the calls that the matrix of all clients has not. */

const client = await loadPythonClient();

let service: TestService;
let photo: string;
let mask: string;
let photoDigest: string;
beforeAll(async () => {
  service = await startService();
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-python-'));
  const bytes = await noiseImage(320, 200);
  photoDigest = sha256(bytes);
  [photo, mask] = [join(folder, 'photo.png'), join(folder, 'mask.png')];
  await Promise.all([writeFile(photo, bytes), writeFile(mask, await clearMask(320, 200))]);
  return async () => {
    await service.close();
    await rm(folder, { recursive: true });
  };
});

const isPng = (base64 = '') => Buffer.from(base64, 'base64').subarray(1, 4).toString() === 'PNG';

describe.runIf(client)('openai for Python', () => {
  const call = (name: 'generate' | 'edit' | 'models', options: object) =>
    client?.call({ baseUrl: `${service.url}/v1`, apiKey: testKeys.acme }, { name, options });

  it('reads a stream with previews to its completed event', async () => {
    const options = { prompt: 'Streamed to Python', stream: true, partial_images: 2 };
    const result = await call('generate', options);
    expect(result?.events).toEqual([
      'image_generation.partial_image',
      'image_generation.partial_image',
      'image_generation.completed',
    ]);
    expect(result?.images?.map(isPng)).toEqual([true]);
  });

  it('edits one file with a mask, whose bytes reach the provider unchanged', async () => {
    const result = await call('edit', { prompt: 'Snow by Python', image: photo, mask });
    expect(result?.images?.map(isPng)).toEqual([true]);
    const sent = service.studio.calls.at(-1);
    expect(sent).toMatchObject({
      path: '/v1/images/edits',
      inputs: [{ sha256: photoDigest }, { param: 'mask' }],
    });
  });

  it('edits several files and reads the stream of the edit', async () => {
    const options = { prompt: 'Streamed edit of Python', image: [photo, photo], stream: true };
    const result = await call('edit', options);
    expect(result?.events).toEqual(['image_edit.completed']);
    expect(result?.images?.map(isPng)).toEqual([true]);
  });

  it('lists the models', async () => {
    expect((await call('models', {}))?.models).toContain('gpt-image-2');
  });

  it('throws the failure of a stream with its code', async () => {
    const options = { prompt: 'Refused for Python [studio:moderation=violence]', stream: true };
    await expect(call('generate', options)).rejects.toMatchObject({
      message: expect.stringMatching(/refused|safety/i),
    });
  });

  it('examples/switch/openai_sdk.py saves an image', async () => {
    const { files } = await runPythonExample('openai_sdk.py', {
      service: service.url,
      packages: client?.folder ?? '',
    });
    expect(files['fox.png']?.subarray(1, 4).toString()).toBe('PNG');
  });
});
