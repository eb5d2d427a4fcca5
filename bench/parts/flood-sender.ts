import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { handleQueries, reportReady } from '../harness/queries.ts';

/** Sends requests at a constant rate, also if their responses are late, in a process of its own. */
const { SERVICE_URL = '', AUTHORIZATION = '', BODY = '', PER_SECOND = '' } = process.env;
const intervalMs = 10;
const perInterval = (Number(PER_SECOND) * intervalMs) / 1000;
const pool = new Pool(SERVICE_URL, { connections: 16, keepAliveMaxTimeout: 1_000 });

/** Number of responses by status. */
const counts: Record<number, number> = {};

async function send(): Promise<void> {
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: '/images',
    headers: { 'content-type': 'application/json', authorization: AUTHORIZATION },
    body: BODY,
  });
  await body.dump();
  counts[statusCode] = (counts[statusCode] ?? 0) + 1;
}

let isSending = false;
let sending: Promise<void> = Promise.resolve();

/** Timers are late under load, so the number of due requests depends on the time and not on the number of timers. */
async function sendUntilStopped(): Promise<void> {
  const startMs = performance.now();
  const open = new Set<Promise<void>>();
  for (let sent = 0; isSending; await sleep(intervalMs)) {
    const due = ((performance.now() - startMs) / intervalMs) * perInterval;
    for (; sent < due; sent += 1) {
      const request = send().finally(() => open.delete(request));
      open.add(request);
    }
  }
  await Promise.all(open);
}

handleQueries({
  /** Sends requests one after the other. The first ones compile code and open connections. */
  async warmUp(count) {
    for (let sent = 0; sent < count; sent += 1) await send();
    for (const status of Object.keys(counts)) delete counts[Number(status)];
  },
  begin() {
    isSending = true;
    sending = sendUntilStopped();
  },
  async end() {
    isSending = false;
    await sending;
    return counts;
  },
});
// The process has no server, so the channel has to keep it alive.
process.channel?.ref();
reportReady();
