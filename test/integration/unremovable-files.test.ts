import { mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';
import { withInputs } from '../../src/inbound/http/edit-form.ts';
import { createStaging } from '../../src/outbound/media/staging.ts';
import { createInputs, type InputsDeps } from '../../src/usecases/inputs/index.ts';
import { silentLog } from '../support/jobs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Replaces the files of a folder by folders, which a removal of files refuses. */
async function makeUnremovable(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    await unlink(join(folder, name));
    await mkdir(join(folder, name));
  }
}

it('a request whose job is accepted succeeds if the disk does not remove its temporary files', async () => {
  const folder = await temporaryFolder();
  const { collectInputs } = createInputs({
    staging: createStaging(folder),
    log: silentLog,
  } as unknown as InputsDeps);
  const request = { received: null, caller: { tenant: 'acme' } } as FastifyRequest;
  const body = { prompt: 'Add snow', images: [{ data: Buffer.from('a photo').toString('base64') }] };

  const response = withInputs({ collectInputs }, { request, body }, async () => {
    await makeUnremovable(folder);
    return 'accepted';
  });

  await expect(response).resolves.toBe('accepted');
  expect(await readdir(folder)).toHaveLength(1);
});
