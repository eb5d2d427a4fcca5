import { expect, it } from 'vitest';
import { backgroundProvider } from '../support/background-calls.ts';
import { generation } from '../support/generation.ts';
import { background, completed, methodsOf } from '../support/responses-scripts.ts';
import { respondWith, type Script, serve } from '../support/scripted-server.ts';

/** Runs a job whose images are generated in the background by a server with the given polls. */
const runWith = (...polls: Script[]) => runWithStorage({ storageRefusals: 0 }, ...polls);

async function runWithStorage({ storageRefusals }: { storageRefusals: number }, ...polls: Script[]) {
  const server = await serve(background(...polls));
  const realProvider = backgroundProvider(server.url);
  const made = generation({ realProvider, maxPaidAttempts: 2, storageRefusals });
  await made.runPaidCalls();
  const methods = methodsOf(server);
  return {
    job: made.job(),
    submissions: methods.filter((method) => method === 'POST').length,
    polls: methods.filter((method) => method === 'GET').length,
  };
}

/** Returns a completed response with a letter in its image that is no base64. */
async function damaged(): Promise<Script> {
  const whole = JSON.stringify(await completed());
  const middle = whole.indexOf('"result":"') + 1_000;
  return respondWith(200, `${whole.slice(0, middle)}!!!!${whole.slice(middle + 4)}`);
}

it('reads a response with damaged bytes again from the provider that stores it, without another payment', async () => {
  const { job, ...seen } = await runWith(
    await damaged(),
    await damaged(),
    respondWith(200, await completed()),
  );
  expect(job).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
  expect(seen).toEqual({ submissions: 1, polls: 3 });
});

it('pays again only after three reads of a response with damaged bytes', async () => {
  const { job, ...seen } = await runWith(await damaged());
  expect(job).toMatchObject({ status: 'failed', errors: [{ code: 'provider_unusable_answer' }] });
  expect(job.attempts).toMatchObject([{ state: 'unusable' }, { state: 'unusable' }]);
  expect(seen).toEqual({ submissions: 2, polls: 6 });
});

it('pays again if the provider has deleted a response with damaged bytes', async () => {
  const { job, ...seen } = await runWith(
    await damaged(),
    ...Array(3).fill(respondWith(404, '{"error":{}}')),
    respondWith(200, await completed()),
  );
  expect(job).toMatchObject({ status: 'succeeded', attempts: [{ state: 'uncertain' }, { state: 'stored' }] });
  expect(seen).toEqual({ submissions: 2, polls: 5 });
});

it('stores the image of a poll after one that broke off, although the storage refuses it at first', async () => {
  const whole = JSON.stringify(await completed());
  const cut: Script = (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
    response.write(whole.slice(0, whole.length - 2_000), () => response.destroy());
  };
  const { job, ...seen } = await runWithStorage({ storageRefusals: 1 }, cut, respondWith(200, whole));
  expect(job).toMatchObject({ status: 'succeeded', attempts: [{ state: 'stored' }] });
  expect(seen).toEqual({ submissions: 1, polls: 2 });
});
