import { createSpool } from '../../src/outbound/spool/spool.ts';

/**
 * A process that writes answers 1, 2, 3 ... of the job `img_x` into a spool until it is killed, and says so after every
 * chunk. The body of answer N is 16 chunks of 64 KiB of the byte N.
 */
const spool = createSpool(process.argv[2] ?? '');

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
