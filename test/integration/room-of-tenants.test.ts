import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { LocalFile } from '../../src/domain/ports.ts';
import type { Upload } from '../../src/domain/upload.ts';
import { createImageInspector } from '../../src/outbound/media/image-inspector.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { createInputs, type InputsDeps } from '../../src/usecases/inputs/index.ts';
import { noiseImage } from '../support/images.ts';
import { silentLog } from '../support/jobs.ts';
import { oneChunk } from '../support/memory-ports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Creates the inputs of a process. The files of a tenant may have 100 bytes, and those of `acme` have 60. */
async function busyInputs() {
  const staging = createStaging(await temporaryFolder(), { maxTotalBytes: 400 });
  await staging.write(oneChunk(Buffer.alloc(60)), { maxBytes: 60, tenant: 'acme' });
  const upload = { id: 'upl_1', tenant: 'acme', expiresAt: Date.now() + 60_000 } as Upload;
  return createInputs({
    staging,
    uploads: { get: async () => upload },
    storage: { read: async () => ({ body: oneChunk(Buffer.alloc(60)), sizeBytes: 60 }) },
    clock: Date.now,
    log: silentLog,
  } as unknown as InputsDeps);
}

const noRoom = { code: 'too_many_requests', retryAfterSeconds: 10 };

describe('a temporary file counts towards the room of its tenant', () => {
  it('if it is made from data of a request', async () => {
    const { collectInputs } = await busyInputs();
    const body = { prompt: 'Add snow', images: [{ data: Buffer.alloc(60).toString('base64') }] };
    await expect(collectInputs('acme', body)).rejects.toMatchObject(noRoom);
    await expect(collectInputs('other', body)).resolves.toMatchObject({ inputs: [{ role: 'image' }] });
  });

  it('if it is a copy of a stored mask', async () => {
    const { prepareInputs } = await busyInputs();
    const mask = { role: 'mask', index: 0, from: { kind: 'upload', id: 'upl_1' } } as const;
    await expect(prepareInputs('acme', [mask])).rejects.toMatchObject(noRoom);
  });

  it('if it is a received file without its metadata', async () => {
    const bytes = await sharp(await noiseImage(64, 64))
      .jpeg()
      .withExif({ IFD0: { Model: 'Phone 9' } })
      .toBuffer();
    const staging = createStaging(await temporaryFolder(), { maxTotalBytes: 5 * bytes.length });
    const inspect = async (tenant: string) => {
      const file = await staging.write(oneChunk(bytes), { maxBytes: bytes.length, tenant });
      return createImageInspector(staging, { maxConcurrent: 1 }).inspect(file, { findTransparency: false });
    };
    await expect(inspect('acme')).rejects.toMatchObject(noRoom);
  });
});

describe('the check of images', () => {
  it('serves tenants in turns, so that many images of one do not delay an image of another', async () => {
    const staging = createStaging(await temporaryFolder());
    const { inspect } = createImageInspector(staging, { maxConcurrent: 1 });
    const bytes = await noiseImage(64, 64);
    const write = (tenant: string) => staging.write(oneChunk(bytes), { maxBytes: bytes.length, tenant });
    const ended: string[] = [];
    const check = async (file: LocalFile) => {
      await inspect(file, { findTransparency: false });
      ended.push(file.tenant ?? '');
    };
    const many = await Promise.all(Array.from({ length: 40 }, () => write('acme')));
    const one = await write('other');
    await Promise.all([...many, one].map(check));
    expect(ended.indexOf('other')).toBeLessThan(20);
  });
});
