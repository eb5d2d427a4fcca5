import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exceptionName } from '../../../scripts/python-errors.ts';
import { AppError, errorCodes, errorRow } from '../../../src/domain/errors.ts';
import { problemHeaders, problemOf } from '../../../src/inbound/http/problem.ts';
import { leftHalfMask } from '../../support/edit-inputs.ts';
import { eventually } from '../../support/eventually.ts';
import { noiseImage, sha256 } from '../../support/images.ts';
import { manageKeysOf } from '../../support/managed-keys.ts';
import { hasPython, pythonKinds, runPython } from '../../support/python-client.ts';
import { usePython } from '../../support/python-service.ts';
import { respondWith, type Script, serve } from '../../support/scripted-server.ts';
import { imageCalls } from '../../support/service-environment.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = usePython();

describe.skipIf(!hasPython).each(pythonKinds)('the %s Python client', (kind) => {
  const run = (call: readonly unknown[], options?: Record<string, unknown>, url = python.service.url) =>
    python.verbs.run(kind, call, { url, ...(options ? { options } : {}) });

  it(`generates an image, follows its events and downloads it (${kind})`, async () => {
    const { result: job, events } = await run(['generate', 'A fox by Python'], {
      watch: true,
      quality: 'low',
    });
    expect(job).toMatchObject({ status: 'succeeded', prompt: { original: 'A fox by Python' } });
    expect([events[0], events.at(-1)]).toEqual(['image.queued', 'image.succeeded']);

    const file = join(await temporaryFolder(), 'fox.png');
    const { result: path } = await run(['download', job.id, file]);
    expect(path).toBe(file);
    expect(sha256(await readFile(file))).toBe(job.images[0]?.sha256);
  });

  it(`edits files with a mask, and the same key with the same files returns the same job (${kind})`, async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'photo.png'), await noiseImage(320, 320));
    const mask = { base64: (await leftHalfMask(320, 320)).toString('base64') };
    const edit = () =>
      run(['edit', 'A scarf', join(folder, 'photo.png')], { mask, idempotency_key: `edit-${kind}`, n: 2 });
    const [{ result: first }, { result: second }] = [await edit(), await edit()];

    expect(first.inputs.map(({ role, source }) => [role, source.type])).toEqual([
      ['image', 'multipart'],
      ['mask', 'multipart'],
    ]);
    expect(first.images).toHaveLength(2);
    expect(second.id).toBe(first.id);
  });

  it(`edits an upload, varies the result and lists both by their parent (${kind})`, async () => {
    const file = join(await temporaryFolder(), 'photo.png');
    await writeFile(file, await noiseImage(300, 200));
    const { result: upload } = await run(['upload', file]);
    expect(upload).toMatchObject({ object: 'upload', width: 300, height: 200 });
    const images = [{ upload_id: upload.id }];
    const { result: edited } = await run(['edit', 'As a watercolor'], { images });
    const { result: varied } = await run(['vary', edited.id], { prompt: 'As an etching' });
    expect(varied).toMatchObject({ status: 'succeeded', parent_id: edited.id });

    const { result: page } = await run(['list'], { parent: edited.id });
    expect(page).toMatchObject({ data: [{ id: varied.id }], has_more: false });
    const { result: all } = await run(['iterate'], { limit: 1, parent: edited.id });
    expect(all).toHaveLength(1);
  });

  it(`estimates, submits without waiting, cancels, retries and erases (${kind})`, async () => {
    const { result: preview } = await run(['estimate', 'A fox'], { quality: 'high' });
    expect(preview).toMatchObject({ object: 'image_preview', estimate: { queue_depth: expect.any(Number) } });

    const slow = { wait: false, metadata: { kind, 'a key': 'ü' } };
    const { result: queued } = await run(['generate', `Slow ${kind} [studio:latency=20000,times=1]`], slow);
    expect(queued.metadata).toEqual(slow.metadata);
    await eventually(() => expect(imageCalls(python.service.studio, `Slow ${kind}`)).toHaveLength(1));
    const { result: canceled } = await run(['cancel', queued.id]);
    expect(['running', 'canceled']).toContain(canceled.status);
    expect((await run(['wait', queued.id])).error).toMatchObject({ class: 'Canceled', job_id: queued.id });
    const { result: listed } = await run(['list'], { metadata: { kind, 'a key': 'ü' } });
    expect(listed).toMatchObject({ data: [{ id: queued.id }] });

    const { result: retried } = await run(['retry', queued.id]);
    expect(retried).toMatchObject({ status: 'succeeded', parent_id: queued.id });
    await run(['erase', retried.id]);
    await run(['erase', retried.id]);
    expect((await run(['get', retried.id])).error).toMatchObject({ class: 'Erased', status: 410 });
  });

  it(`raises the exception of each refusal and of each failed job (${kind})`, async () => {
    const { error: invalid } = await run(['generate', ' ']);
    expect(invalid).toMatchObject({ class: 'ValidationFailed', status: 422, billing: 'none', attempts: 1 });
    expect(invalid?.issues?.[0]).toMatchObject({ pointer: '/prompt' });
    const { error: blocked } = await run(['generate', 'Something [studio:moderation]']);
    expect(blocked).toMatchObject({ class: 'ModerationBlocked', status: null, billing: 'none' });
    expect(blocked?.job_id).toMatch(/^img_/);
    const unauthorized = await python.verbs.run(kind, ['get', 'img_x'], {
      url: python.service.url,
      key: 'wrong',
    });
    expect(unauthorized.error?.classes).toEqual(
      expect.arrayContaining(['Unauthorized', 'ServiceError', 'DarkroomError']),
    );
    const used = { idempotency_key: `used-${kind}`, wait: false };
    await run(['generate', 'One'], used);
    expect((await run(['generate', 'Two'], used)).error).toMatchObject({
      class: 'IdempotencyKeyReused',
      idempotency_key: used.idempotency_key,
    });
    const late = await run(['generate', 'Late [studio:latency=3000]'], { timeout_s: 0.5 });
    expect(late.error).toMatchObject({ class: 'WaitTimeout', job_id: expect.stringMatching(/^img_/) });
    expect((await run(['wait', late.error?.job_id])).result.status).toBe('succeeded');
  });

  it(`raises a refusal by a budget with the figures of the budget (${kind})`, async () => {
    const budgets = [{ window: 'day', limit_micro_usd: 1, soft: false }];
    const { key } = await manageKeysOf(python.service.url).create({ tenant: 'acme', budgets });
    const { error } = await python.verbs.run(kind, ['generate', 'Too expensive'], {
      url: python.service.url,
      key,
    });
    expect(error).toMatchObject({ class: 'BudgetExceeded', status: 402, budget: { limit_micro_usd: 1 } });
  });

  it(`refuses every redirect, also of a verb without a result, and names its target (${kind})`, async () => {
    const moved = respondWith(301, '', { location: 'https://there.example/images' });
    const server = await serve(moved);
    for (const call of [
      ['erase', 'img_1'],
      ['generate', 'A fox'],
      ['wait', 'img_1'],
    ]) {
      const { error } = await run(call, {}, server.url);
      expect(error).toMatchObject({ class: 'ServiceError', code: 'http_301', retryable: false });
      expect(error?.message).toContain('https://there.example/images');
    }
    expect(server.seen).toHaveLength(3);
  });

  it(`sends the id of a job as one segment of the path (${kind})`, async () => {
    const server = await serve(respondWith(404, ''));
    const verbs = ['get', 'wait', 'cancel', 'erase', 'vary', 'retry'];
    for (const verb of verbs) await run([verb, 'a/../b?c'], {}, server.url);
    const paths = server.seen.map(({ path }) => path.replace('/v1/images/', ''));
    expect(paths.map((path) => path.split(/[/?]/)[0])).toEqual(verbs.map(() => 'a%2F..%2Fb%3Fc'));
  });

  it(`maps every code of the service to an exception and honors Retry-After (${kind})`, async () => {
    const problems = await serve(respondWithProblem);
    const errors: unknown[] = [];
    for (const code of errorCodes) errors.push((await run(['get', code], {}, problems.url)).error);
    expect(errors).toMatchObject(
      errorCodes.map((code) => {
        const { status, retryable } = errorRow(code);
        // The requested delay is too long for the client, so the client does not repeat the request.
        return {
          class: exceptionName(code),
          code,
          status,
          retryable,
          retry_after_s: retryable ? 3600 : null,
        };
      }),
    );
  });
});

/** Responds with the problem of the code at the end of the path. */
const respondWithProblem: Script = (response, { path }) => {
  const code = (path.split('/').at(-1) ?? 'internal') as (typeof errorCodes)[number];
  const error = new AppError(code, { detail: `The detail of ${code}`, retryAfterSeconds: 3600 });
  const problem = problemOf(error, { instance: '/images', requestId: 'req_1' });
  response.writeHead(problem.status, problemHeaders(error, 'req_1')).end(JSON.stringify(problem));
};

const pages = ['clients/python/README.md', 'docs/start.md', 'docs/recipes.md'];

describe.skipIf(!hasPython)('pages with Python programs', () => {
  it.each(pages)('every Python program of %s runs as written against the service', async (path) => {
    const page = await readFile(join(import.meta.dirname, '../../..', path), 'utf8');
    const programs = [...page.matchAll(/^```python\n([\s\S]*?)^```/gm)].map(([, program]) => program ?? '');
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'photo.png'), await noiseImage(320, 320));
    await writeFile(join(cwd, 'mask.png'), await leftHalfMask(320, 320));
    for (const program of programs) await runPython(['-c', program], { url: python.service.url, cwd });
    expect(programs.length).toBeGreaterThan(0);
    if (!path.endsWith('recipes.md')) {
      expect(await sharp(join(cwd, 'fox.png')).metadata()).toMatchObject({ format: 'png' });
    }
  });
});
