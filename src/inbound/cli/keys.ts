import type { Command } from 'commander';
import type { KeyView } from '../../domain/key-view.ts';
import type { KeyWithText, ManageKeys } from '../../usecases/access/manage-keys.ts';
import { commandLineManager as manager } from '../../usecases/access/manager.ts';
import { type CliContext, table } from './context.ts';
import { parseId } from './id-argument.ts';
import { addKeyOptions, type KeyOptions, keyBodyOf } from './key-options.ts';
import { addOverride } from './key-override.ts';
import { wholeNumber } from './numbers.ts';
import { withKey } from './with-key.ts';

interface Json {
  json?: boolean;
}

const pageSize = 100;
const maxGraceSeconds = 30 * 86_400;

/** Adds `darkroom keys create|list|rotate|disable|enable|revoke|override|webhook-secret`. */
export function addKeys(program: Command, context: CliContext): void {
  const keys = program.command('keys').description('create, list, rotate and revoke API keys');
  addCreate(keys, context);
  addList(keys, context);
  addRotate(keys, context);
  addChanges(keys, context);
  addOverride(keys, context);
  addWebhookSecret(keys, context);
}

function addCreate(keys: Command, context: CliContext): void {
  addKeyOptions(keys.command('create').description('create a key; it is shown once'))
    .option('--json', 'print JSON')
    .action(async (options: KeyOptions) => {
      const body = keyBodyOf(options, Date.now());
      const key = await context.withKeys((manage) => manage.create(manager, body));
      await printWithText(key, { context, options });
    });
}

function addList(keys: Command, context: CliContext): void {
  keys
    .command('list')
    .description('list keys, newest first, without their texts')
    .option('--tenant <tenant>', 'only keys of one tenant')
    .option('--json', 'print JSON')
    .action(async (options: Json & { tenant?: string }) => {
      const all = await context.withKeys((manage) => listAll(manage, options.tenant));
      if (options.json) return context.print(JSON.stringify(all));
      const rows = all.map((key) => [
        ...[key.id, key.tenant, key.name, key.scopes.join(','), stateOf(key)],
        key.last_used_at ?? 'never',
      ]);
      context.print(table([['ID', 'TENANT', 'NAME', 'SCOPES', 'STATE', 'LAST USED'], ...rows]));
    });
}

function addRotate(keys: Command, context: CliContext): void {
  keys
    .command('rotate')
    .argument('<id>', 'id of the key', parseId)
    .description('give a key a new text, which is shown once; the old one stays valid for a while')
    .option(
      '--grace-s <seconds>',
      'time for which the old text stays valid',
      wholeNumber(0, maxGraceSeconds),
      86_400,
    )
    .option('--json', 'print JSON')
    .action(async (id: string, options: Json & { graceS: number }) => {
      const key = await withKey(context, id, (manage) => manage.rotate(manager, id, options.graceS));
      await printWithText(key, { context, options });
    });
}

function addChanges(keys: Command, context: CliContext): void {
  const verbs = [
    {
      name: 'disable',
      about: 'refuse a key until it is enabled; every process follows within a second',
      done: 'disabled',
      change: (manage: ManageKeys, id: string) => manage.update(manager, id, { disabled: true }),
    },
    {
      name: 'enable',
      about: 'accept a disabled key again',
      done: 'enabled',
      change: (manage: ManageKeys, id: string) => manage.update(manager, id, { disabled: false }),
    },
    {
      name: 'revoke',
      about: 'revoke a key for good; every process refuses it within a second',
      done: 'revoked',
      change: (manage: ManageKeys, id: string) => manage.revoke(manager, id),
    },
  ];
  for (const { name, about, done, change } of verbs) {
    keys
      .command(name)
      .argument('<id>', 'id of the key', parseId)
      .description(about)
      .option('--json', 'print JSON')
      .action(async (id: string, options: Json) => {
        const key = await withKey(context, id, (manage) => change(manage, id));
        context.print(options.json ? JSON.stringify(key) : `${key.id} is ${done}.`);
      });
  }
}

function addWebhookSecret(keys: Command, context: CliContext): void {
  keys
    .command('webhook-secret')
    .description("show the secret that signs a tenant's webhooks")
    .requiredOption('--tenant <tenant>', 'tenant of the secret (required)')
    .option('--json', 'print JSON')
    .action((options: Json & { tenant: string }) => {
      const secret = context.webhookSecretOf(options.tenant);
      context.print(options.json ? JSON.stringify({ tenant: options.tenant, secret }) : secret);
    });
}

async function listAll(manage: ManageKeys, tenant: string | undefined): Promise<KeyView[]> {
  const all: KeyView[] = [];
  for (let before: string | null | undefined; before !== null; ) {
    const page = await manage.list(manager, { tenant, limit: pageSize, before });
    all.push(...page.keys);
    before = page.next;
  }
  return all;
}

/** Prints a key with its text. If that fails, the text is lost, and the user learns which key to revoke. */
async function printWithText(
  key: KeyView & Partial<KeyWithText>,
  { context, options }: { context: CliContext; options: Json },
): Promise<void> {
  context.print(options.json ? JSON.stringify(key) : String(key.key));
  try {
    await context.printed();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`The key could not be printed (${reason}). Revoke it: darkroom keys revoke ${key.id}`, {
      cause,
    });
  }
  if (!options.json) context.printError(`Store it now, it is not shown again. Its id is ${key.id}.`);
}

function stateOf(key: KeyView): string {
  if (key.revoked_at) return 'revoked';
  if (key.disabled) return 'disabled';
  if (key.expires_at === null) return 'live';
  return Date.parse(key.expires_at) > Date.now() ? `until ${key.expires_at}` : 'expired';
}
