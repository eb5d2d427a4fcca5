import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { responseFileName } from '../../src/outbound/spool/spool-name.ts';
import { bodyOf, errorOf, spoolHead, spoolKey } from '../support/spool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('lists every readable response before it reports one that the disk cannot read', async () => {
  const folder = await temporaryFolder();
  const spool = createSpool(folder);
  const keys = [1, 2, 3, 4, 5, 6].map((attemptNo) => ({ ...spoolKey, attemptNo }));
  for (const key of keys) await spool.write(key, spoolHead, bodyOf('paid'));
  for (const { attemptNo } of keys.slice(0, 3)) {
    const path = join(folder, responseFileName({ ...spoolKey, attemptNo }));
    await rm(path);
    await mkdir(path);
  }
  const listed: number[] = [];
  const listing = (async () => {
    for await (const { key } of spool.list()) listed.push(key.attemptNo);
  })();
  expect(await errorOf(listing)).toMatchObject({ code: 'storage_failed' });
  expect(listed.toSorted()).toEqual([4, 5, 6]);
});
