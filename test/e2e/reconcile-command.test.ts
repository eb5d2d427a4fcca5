import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { withUsage } from '../../src/compose/usage-tools.ts';
import { loadConfig } from '../../src/config/config.ts';
import type { CliContext } from '../../src/inbound/cli/context.ts';
import type { UsageTools } from '../../src/inbound/cli/usage-tools.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { createCaller } from '../support/caller.ts';
import { runClientCommand } from '../support/client-command.ts';
import { eventually } from '../support/eventually.ts';
import { startService, type TestService } from '../support/service.ts';
import { imageCalls, testKeys } from '../support/service-environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Line {
  job_id: string;
  model: string;
  micro_usd: number | null;
  provider_request_id: string | null;
  at: string;
}

// The ledgers of all tenants are compared, so each test has a service of its own.
let service: TestService;
beforeEach(async () => {
  service = await startService();
  return service.close;
});

const quiet = createLogger({ level: 'silent', pretty: false });
const today = new Date().toISOString().slice(0, 10);

/** Runs `usage reconcile`. @param change wraps the tools of the command. */
function reconcile(args: readonly string[], change = (tools: UsageTools) => tools) {
  const more: Partial<CliContext> = {
    withUsage: (work) => withUsage(loadConfig(service.env, 'tool'), quiet, (tools) => work(change(tools))),
  };
  const key = { url: service.url, apiKey: testKeys.acme };
  return runClientCommand(['usage', 'reconcile', ...args], key, more);
}

const settle = (id: string, microUsd: number) =>
  createCaller(service.url, testKeys.admin)
    .post(`/images/${id}/settle?tenant=acme`)
    .send({ micro_usd: microUsd })
    .expect(200);

async function lineOf(jobId: string): Promise<Line> {
  const response = await createCaller(service.url, testKeys.admin)
    .get(`/usage/ledger?tenant=acme&from=${today}`)
    .buffer(true);
  const lines: Line[] = response.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
  const found = lines.find(({ job_id }) => job_id === jobId);
  if (!found) throw new Error(`There is no line of ${jobId}.`);
  return found;
}

/** Writes a bill with a row for each call; a call without an amount gets the given one. */
async function billOf(calls: readonly { id: string; microUsd?: number }[]): Promise<string> {
  const rows = await Promise.all(
    calls.map(async ({ id, microUsd }) => {
      const { at, model, micro_usd, provider_request_id } = await lineOf(id);
      return [provider_request_id ?? `req_of_${id}`, at, model, microUsd ?? micro_usd].join(',');
    }),
  );
  const file = join(await temporaryFolder(), 'calls.csv');
  await writeFile(file, ['request_id,timestamp,model,micro_usd', ...rows].join('\n'));
  return file;
}

const job = (prompt: string) =>
  service.acme.generate({ prompt, model: 'gpt-image-2', quality: 'low', size: '1024x1024' });
const lostJob = async (prompt: string) => {
  const { body } = await service.acme
    .post('/images')
    .set('prefer', 'wait=30')
    .send({
      prompt: `${prompt} [studio:hang-up]`,
      ...{ model: 'gpt-image-2', quality: 'low', size: '1024x1024', on_uncertain: 'fail' },
    })
    .expect(200);
  return body as { id: string };
};

describe('darkroom usage reconcile', () => {
  it('settles a lost call once, and finds bill and ledger equal whenever it is repeated', async () => {
    const [known, lost] = [await job('Known'), await lostJob('Lost')];
    const bill = ['--costs', await billOf([known, { id: lost.id, microUsd: 5_801 }])];
    const offered = await reconcile(bill);
    expect(offered.code).toBe(0);
    expect(offered.stdout).toContain(`${lost.id}.1  0.005801`);
    expect(offered.stdout).toMatch(/with --settle to settle these charges\.\n\nNo differences besides these/);

    const settled = await reconcile([...bill, '--settle']);
    expect([settled.code, settled.stdout]).toEqual([
      0,
      expect.stringMatching(/SETTLED[\s\S]*are equal\.\n$/),
    ]);
    for (const args of [bill, [...bill, '--settle']]) {
      const again = await reconcile(args);
      expect(again.code).toBe(0);
      expect(again.stdout).not.toMatch(/SETTLED|POSSIBLE|FINDING/);
      expect(again.stdout).toMatch(/are equal\.\n$/);
    }
    expect(await lineOf(lost.id)).toMatchObject({ micro_usd: 5_801 });
  });

  it('settles nothing that an incomplete bill, or the bill of a day that is not over, does not have', async () => {
    const [known, lost] = [await job('Known'), await lostJob('Absent')];
    await job('Missing');
    const file = await billOf([known]);
    const { code, stdout } = await reconcile(['--costs', file, '--settle', '--json']);
    const result = JSON.parse(stdout);
    expect(code).toBe(1);
    expect(result).toMatchObject({
      settles: [],
      unknown: [{ job_id: lost.id, micro_usd_possible: expect.any(Number), reason: 'day_not_over' }],
    });
    expect(result.findings).toContainEqual(expect.objectContaining({ kind: 'not_billed' }));
    const text = await reconcile(['--costs', file]);
    expect(text.stdout).toMatch(
      new RegExp(`${lost.id}.1 +<= 0\\.\\d{6} +the bill was exported before the day`),
    );
    expect(text.stdout).toMatch(/Differences: \d+\. Possible charges that stay unknown: 1\.\n$/);
    expect(text.stdout).not.toContain('equal');
    expect(await lineOf(lost.id)).toMatchObject({ micro_usd: null });
  });

  it('settles what it can beside a running job and a charge that cannot be settled, and prints all', async () => {
    const first = await lostJob('First');
    const running = await service.acme.submit({
      prompt: 'Running [studio:latency=60000,times=1]',
      ...{ model: 'gpt-image-2', quality: 'low', size: '1024x1024' },
    });
    await eventually(() => expect(imageCalls(service.studio, 'Running')).toHaveLength(1));
    const [raced, last] = [await lostJob('Raced'), await lostJob('Last')];
    const bill = await billOf([
      { id: first.id, microUsd: 5_801 },
      { id: raced.id, microUsd: 5_802 },
      { id: last.id, microUsd: 5_803 },
    ]);
    const { code, stdout } = await reconcile(['--costs', bill, '--settle'], (tools) => ({
      ...tools,
      async reconcileBill(...args) {
        const result = await tools.reconcileBill(...args);
        await settle(raced.id, 1);
        return result;
      },
    }));
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`${first.id}.1 +0\\.005801\\n`));
    expect(stdout).toMatch(new RegExp(`${raced.id}.1 +0\\.005802 +FAILED: The cost of every call`));
    expect(stdout).toMatch(new RegExp(`${last.id}.1 +0\\.005803\\n`));
    expect(stdout).toMatch(new RegExp(`${running.id}.1 +<= 0\\.\\d{6} +the job has not ended`));
    expect(stdout).toContain('not settled because of an error: 1.');
    expect(await lineOf(first.id)).toMatchObject({ micro_usd: 5_801 });
    expect(await lineOf(last.id)).toMatchObject({ micro_usd: 5_803 });
    expect(await lineOf(running.id)).toMatchObject({ micro_usd: null });
    await service.acme.post(`/images/${running.id}/cancel`);
  });

  it('takes the time of the file as that of the export, and refuses a period that is reversed', async () => {
    const file = await billOf([await job('Known')]);
    const dayAgo = new Date(Date.now() - 86_400_000);
    await utimes(file, dayAgo, dayAgo);
    let asOfMs = 0;
    await reconcile(['--costs', file], (tools) => ({
      ...tools,
      reconcileBill: (entries, options) => {
        asOfMs = options.asOfMs;
        return tools.reconcileBill(entries, options);
      },
    }));
    expect(Math.abs(asOfMs - dayAgo.getTime())).toBeLessThan(1_000);
    const reversed = await reconcile(['--costs', file, '--from', '2026-11-02', '--to', '2026-11-01']);
    expect([reversed.code, reversed.stderr]).toEqual([1, '--from must be before --to.\n']);
    const noDay = await reconcile(['--costs', file, '--from', '2026-02-30']);
    expect([noDay.code, noDay.stderr]).toEqual([1, expect.stringContaining('must be a date')]);
  });

  it('compares with the only provider of the ledger, and names the providers if another one is given', async () => {
    const { code, stderr } = await reconcile([
      '--costs',
      await billOf([await job('K')]),
      '--provider',
      'nope',
    ]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      'The ledger has no call of the provider nope in this period. It has calls of: openai.\n',
    );
  });
});
