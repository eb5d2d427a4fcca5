import { readdirSync } from 'node:fs';
import { createSpool } from '../../src/outbound/spool/spool.ts';

/**
 * Writes responses 1, 2, 3 ... of the job `img_x` into a spool until the process is killed. Prints a line for every chunk.
 * The body of response N is 16 chunks of 64 KiB of the byte N. With `end-when-whole` the process kills itself at the moment
 * at which it sees a response without its final name whose last byte is written.
 */
const [, , folder = '', end] = process.argv;
const spool = createSpool(folder);

function endWhenWhole(): void {
  if (readdirSync(folder).some((name) => name.endsWith('.whole'))) process.kill(process.pid, 'SIGKILL');
  setImmediate(endWhenWhole);
}
if (end === 'end-when-whole') endWhenWhole();

async function* body(attemptNo: number): AsyncGenerator<Uint8Array> {
  for (let part = 0; part < 16; part += 1) {
    process.stdout.write(`${attemptNo}.${part}\n`);
    yield Buffer.alloc(64 * 1024, attemptNo);
  }
}

for (let attemptNo = 1; attemptNo < 200; attemptNo += 1) {
  await spool.write(
    { tenant: 't', jobId: 'img_x', attemptNo },
    { provider: 'studio', providerRequestId: `req_${attemptNo}` },
    body(attemptNo),
  );
}
process.exit(0);
