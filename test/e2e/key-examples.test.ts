import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import type { KeyView } from '../../src/domain/key-view.ts';
import { type ManagedKeys, manageKeysOf } from '../support/managed-keys.ts';
import { startService, type TestService } from '../support/service.ts';
import { systemEnvironment } from '../support/service-process.ts';

let service: TestService;
let keys: ManagedKeys;
beforeAll(async () => {
  service = await startService();
  keys = manageKeysOf(service.url);
  return service.close;
});

/** Runs an example as the administrator of a tenant. Returns what it prints. */
async function run(tenant: string, name: string, ...args: string[]): Promise<string> {
  const { key } = await keys.create({ tenant, scopes: ['admin'] });
  const program = join(import.meta.dirname, `../../examples/${name}.ts`);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), program, ...args],
    { env: { ...systemEnvironment(), DARKROOM_URL: service.url, DARKROOM_API_KEY: key } },
  );
  return stdout.trim();
}

it('examples/sell-images.ts gives a customer one key, and a new text if the first was lost', async () => {
  const [id, key = ''] = (await run('reseller', 'sell-images', 'seven', '2.5')).split(' ');
  const customer = keys.callerOf({ key });
  const { body } = await customer.get('/keys/self').expect(200);
  expect(body).toMatchObject({
    id,
    metadata: { customer: 'seven' },
    budgets: [{ window: 'month', limit_micro_usd: 2_500_000 }],
  });
  const [again, other = ''] = (await run('reseller', 'sell-images', 'seven', '2.5')).split(' ');
  expect(again).toBe(id);
  await keys.callerOf({ key: other }).get('/keys/self').expect(200);
  const { data } = (await keys.operator.get('/keys?tenant=reseller').expect(200)).body;
  expect(data.filter((each: KeyView) => each.name === 'customer seven')).toHaveLength(1);
});

it('examples/cap-agent.ts ends when the budget of the agent is used up', async () => {
  const printed = await run('agents', 'cap-agent', '1');
  const accepted = printed.match(/accepted/g)?.length ?? 0;
  expect(accepted).toBeGreaterThan(0);
  expect(printed).toMatch(/the next image may cost \d+ micro-USD, \d+ are left$/);
});
