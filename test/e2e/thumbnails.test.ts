import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageJobView } from '../../src/domain/job-view.ts';
import { connectMcp } from '../support/mcp-client.ts';
import { startService, type TestService } from '../support/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ THUMBNAILS: 'true' });
});
afterAll(() => service?.close());

const withRetry = { timeout: 20_000, interval: 100 };

/** Returns the job after every image has its thumbnail. */
async function withThumbnails(id: string): Promise<ImageJobView> {
  const hasAll = async () =>
    (await service.acme.job(id)).images.every((image) => image.thumbnail_url !== null);
  await expect.poll(hasAll, withRetry).toBe(true);
  return service.acme.job(id);
}

const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

describe('thumbnails', () => {
  it('show every image of a succeeded job in at most 512 pixels, and leave the original as it was', async () => {
    const created = await service.acme.generate({ prompt: 'A fox in the snow', n: 2, size: '1536x1024' });
    expect(created.status).toBe('succeeded');
    const job = await withThumbnails(created.id);
    expect(job.images).toHaveLength(2);
    for (const [i, image] of job.images.entries()) {
      expect(image.sha256).toBe(created.images[i]?.sha256);
      const thumbnail = await sharp(await bytesOf(image.thumbnail_url ?? '')).metadata();
      expect(thumbnail).toMatchObject({ format: 'webp', width: 512 });
      expect(thumbnail.height).toBeLessThanOrEqual(512);
      expect(Buffer.from(image.thumbhash ?? '', 'base64').length).toBeGreaterThan(10);
      const content = await service.acme.get(`/images/${job.id}/content/${i}?variant=thumbnail`);
      expect(content.status).toBe(200);
      expect(content.headers['content-type']).toBe('image/webp');
      expect(content.headers['cache-control']).toContain('immutable');
    }
  });

  it('are the previews of agents, for which no original is read again', async () => {
    const { id } = await service.acme.generate({ prompt: 'A fox for an agent' });
    const { images } = await withThumbnails(id);
    const folder = join(service.dataDir, 'images', 'acme', id);
    for (const name of await readdir(folder)) if (!name.includes('thumbnail')) await rm(join(folder, name));
    const agent = await connectMcp(service);
    const { content } = await agent.callTool({ name: 'get_image', arguments: { id } });
    const data = (await bytesOf(images[0]?.thumbnail_url ?? '')).toString('base64');
    expect(content).toContainEqual({ type: 'image', data, mimeType: 'image/webp' });
  });

  it('are erased with their job and unknown to other tenants', async () => {
    const { id } = await service.acme.generate({ prompt: 'A boat' });
    await withThumbnails(id);
    const path = `/images/${id}/content/0?variant=thumbnail`;
    const { body } = await service.acme.get(`${path}&partial=0`).expect(422);
    expect(body.errors[0].pointer).toBe('/query/variant');
    expect((await service.other.get(path)).status).toBe(404);
    const folder = join(service.dataDir, 'images', 'acme', id);
    expect((await readdir(folder)).filter((name) => name.includes('thumbnail'))).toHaveLength(1);
    expect((await service.acme.delete(`/images/${id}`)).status).toBe(204);
    expect((await service.acme.get(path)).status).toBe(410);
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });
});
