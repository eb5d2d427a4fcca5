import { beforeAll, expect, it } from 'vitest';
import { withKeys } from '../../src/compose/tools.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { runClientCommand } from '../support/client-command.ts';
import { manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';
import { testKeys } from '../support/service-environment.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  return service.close;
});

const quiet = createLogger({ level: 'silent', pretty: false });
const override = (...args: string[]) =>
  runClientCommand(
    ['keys', 'override', ...args],
    { url: service.url, apiKey: testKeys.admin },
    { withKeys: (work) => withKeys(loadConfig(service.env, 'tool'), quiet, work) },
  );

it('keys override raises the budgets of a key until a time, lists the raises and ends them', async () => {
  const { operator, create } = manageKeysOf(service.url);
  const { id } = await create({ tenant: 'acme', budgets: [{ window: 'day', limit_micro_usd: 10 }] });
  const shown = async () => (await operator.get(`/keys/${id}`).expect(200)).body.budget_overrides;

  expect((await override(id)).stdout).toBe('No raises apply.\n');
  const raised = await override(id, '--amount-micro-usd', '5000', '--until', '2099-01-01', '--window', 'day');
  expect(raised.code, raised.stderr).toBe(0);
  expect(raised.stdout).toMatch(/5000 +2099-01-01T00:00:00.000Z +day\n$/);
  expect(await shown()).toMatchObject([{ amount_micro_usd: 5_000, window: 'day' }]);
  expect(JSON.parse((await override(id, '--json')).stdout)).toEqual(await shown());
  expect((await override(id, '--end')).stdout).toBe('No raises apply.\n');
  expect(await shown()).toEqual([]);
});

it('keys override refuses options that do not fit together, a time that has passed and an unknown key', async () => {
  const raise = ['--amount-micro-usd', '5', '--until', '2099-01-01'];
  const refusals: [string[], string][] = [
    [['key_none', ...raise], 'There is no key key_none.'],
    [['key_none', '--amount-micro-usd', '5'], 'needs --amount-micro-usd and --until'],
    [['key_none', '--end', ...raise], 'Pass it alone.'],
    [['key_none', '--amount-micro-usd', '5', '--until', '2020-01-01'], 'must be in the future'],
  ];
  for (const [args, message] of refusals) {
    const { code, stderr } = await override(...args);
    expect([code, stderr], message).toEqual([1, expect.stringContaining(message)]);
  }
});
