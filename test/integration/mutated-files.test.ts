import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { createImageInspector } from '../../src/outbound/media/image-inspector.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { chunked } from '../support/images.ts';
import { createRandom, mutate, validFiles } from '../support/mutated-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const count = Number(process.env.FUZZ_FILES ?? 2_000);
const seed = Number(process.env.FUZZ_SEED ?? 20_261_129);
const warmUp = 200;
const atOnce = 4;
const maxWaitMs = 2_000;
const maxGrowthBytes = 50 * 1024 * 1024;

/** Number of open files and sockets of this process; 0 on systems that do not list them. */
const openHandles = async () => (await readdir('/proc/self/fd').catch(() => [])).length;

it(`inspects ${count} damaged files without a crash, a leak or a long wait`, {
  timeout: 120_000,
}, async () => {
  const folder = join(await temporaryFolder(), 'incoming');
  const staging = createStaging(folder);
  const inspector = createImageInspector(staging, { maxConcurrent: 2 });
  const random = createRandom(seed);
  const valid = await validFiles();
  const counts = { accepted: 0, refused: 0 };

  async function inspect(bytes: Buffer): Promise<void> {
    const file = await staging.write(chunked(bytes), { maxBytes: 1e6 });
    try {
      const inspected = await inspector.inspect(file, { findTransparency: true });
      if (inspected.isRewritten) await staging.remove(inspected.file);
      counts.accepted += 1;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'input_invalid') throw error;
      counts.refused += 1;
    } finally {
      await staging.remove(file);
    }
  }

  /** Returns the shortest of three times, because other processes may delay one of them. */
  async function waitMs(bytes: Buffer): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 3 && best > maxWaitMs; tries += 1) {
      const start = performance.now();
      await inspect(bytes);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  }

  async function inspectMany(files: number): Promise<void> {
    let left = files;
    const loop = async () => {
      while (left > 0) {
        left -= 1;
        const number = files - left;
        const bytes = mutate(valid, random);
        expect(await waitMs(bytes), `file ${number} of seed ${seed}`).toBeLessThan(maxWaitMs);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, loop));
  }

  await inspectMany(warmUp);
  const before = { handles: await openHandles(), rssBytes: process.memoryUsage().rss };
  await inspectMany(count - warmUp);

  expect(await readdir(folder)).toEqual([]);
  expect(await openHandles()).toBeLessThanOrEqual(before.handles);
  expect(process.memoryUsage().rss - before.rssBytes).toBeLessThan(maxGrowthBytes);
  // A fuzzer that reaches only one of the results tests nothing.
  expect(Math.min(counts.accepted, counts.refused)).toBeGreaterThan(count / 20);
});
