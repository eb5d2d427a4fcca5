import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type FileWriter, thisWriter } from '../../src/lib/file-writer.ts';
import { createSpool } from '../../src/outbound/spool/spool.ts';
import { unfinishedFileName, wholeFileName } from '../../src/outbound/spool/spool-name.ts';
import { compiledProgram } from '../support/service-process.ts';
import { readSpooled, spoolKey } from '../support/spool.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const here = thisWriter();
/** The id is above the highest process id of Linux. */
const dead = { ...here, pid: 4_194_305 };
const elsewhere = { machine: '0a1b2c3d', pid: process.pid };
const responseName = 'acme.img_01.1.response';

/** An age between the start of the machine and the start of this process, in milliseconds. */
const betweenStarts = () => (process.uptime() + uptime()) * 500;

const files: [string, FileWriter, () => number, 'finished' | 'retained' | 'removed'][] = [
  ['of a dead process', dead, () => 0, 'finished'],
  ['of an earlier process with the same id', here, betweenStarts, 'finished'],
  ['of this process, written a moment ago', here, () => 0, 'retained'],
  ['of another machine, older than three hours', elsewhere, () => 3.1 * 3_600_000, 'removed'],
  ['from before the start of the machine', dead, () => (uptime() + 60) * 1000, 'removed'],
];

it.each(files)('finishes, keeps or removes a whole file %s when its response is opened', async (...given) => {
  const [, writer, ageMs, outcome] = given;
  const folder = await temporaryFolder();
  const name = wholeFileName(unfinishedFileName(responseName, writer, '0123456789abcdef'));
  await writeFile(join(folder, name), '{"v":1,"provider":"studio"}\nwhole');
  const at = new Date(Date.now() - ageMs());
  await utimes(join(folder, name), at, at);

  const found = await readSpooled(createSpool(folder), spoolKey);
  expect(found?.bytes.toString()).toBe(outcome === 'finished' ? 'whole' : undefined);
  const left = { finished: [responseName], retained: [name], removed: [] };
  expect(await readdir(folder)).toEqual(left[outcome]);
});

it('finds a response whose writer was killed after the last byte, before the disk had confirmed it', async () => {
  const folder = await temporaryFolder();
  const program = compiledProgram('spool-writer-process');
  const child = spawn(process.execPath, [program, folder, 'end-when-whole'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  const [unfinished = ''] = (await readdir(folder)).filter((name) => !name.endsWith('.response'));
  const attemptNo = Number(/^t\.img_x\.([0-9]+)\./.exec(unfinished)?.[1]);

  const found = await readSpooled(createSpool(folder), { tenant: 't', jobId: 'img_x', attemptNo });
  expect(found?.bytes.equals(Buffer.alloc(16 * 64 * 1024, attemptNo))).toBe(true);
});
