import { Agent, request } from 'undici';
import { handleQueries, reportReady } from '../harness/queries.ts';

/** Reads the newest job again and again, in a process of its own, so that the work of other callers does not delay it. */
const { SERVICE_URL = '', AUTHORIZATION = '' } = process.env;

// Idle connections end before the server closes them, because a request on a closing connection is reset.
const dispatcher = new Agent({ keepAliveMaxTimeout: 1_000 });

async function readOnce(): Promise<number> {
  const startMs = performance.now();
  const { body } = await request(`${SERVICE_URL}/images?limit=1`, {
    headers: { authorization: AUTHORIZATION },
    dispatcher,
  });
  await body.dump();
  return performance.now() - startMs;
}

let isReading = false;
let reading: Promise<number[]> = Promise.resolve([]);

async function readUntilStopped(): Promise<number[]> {
  const times: number[] = [];
  while (isReading) times.push(await readOnce());
  return times;
}

handleQueries({
  async read(count) {
    const times: number[] = [];
    while (times.length < count) times.push(await readOnce());
    return times;
  },
  begin() {
    isReading = true;
    reading = readUntilStopped();
  },
  end() {
    isReading = false;
    return reading;
  },
});
// The process has no server, so the channel has to keep it alive.
process.channel?.ref();
reportReady();
