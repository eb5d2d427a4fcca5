import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ApiKeyRecord, type Scope, scopes } from '../../domain/api-key.ts';
import type { Actor } from '../../domain/audit.ts';
import { type CliContext, table } from './context.ts';

interface CreateOptions {
  tenant: string;
  name: string;
  scopes: Scope[];
  expiresInDays?: number;
  json?: boolean;
}

const actor: Actor = { kind: 'command_line' };
const usualScopes: Scope[] = ['images:write', 'images:read', 'webhooks'];

/** Adds `darkroom keys create|list|revoke|webhook-secret`. */
export function addKeys(program: Command, context: CliContext): void {
  const keys = program.command('keys').description('create, list and revoke API keys');

  keys
    .command('create')
    .description('create a key; it is shown once')
    .requiredOption('--tenant <tenant>', 'owner of the key and of all jobs made with it (required)')
    .option('--name <name>', 'purpose of the key', 'unnamed')
    .addOption(
      new Option('--scopes <list>', `comma-separated: ${scopes.join(', ')}`)
        .argParser(parseScopes)
        .default(usualScopes, usualScopes.join(',')),
    )
    .option(
      '--expires-in-days <days>',
      'lifetime in days, for example 90 or 0.5; default unlimited',
      parseDays,
    )
    .option('--json', 'print JSON')
    .action(async (options: CreateOptions) => {
      const { record, key } = await context.withKeys((manage) => manage.create(actor, options));
      if (options.json) return context.print(JSON.stringify({ ...shown(record), key }));
      context.print(`${key}\n\nStore it now, it is not shown again. Its id is ${record.id}.`);
    });

  keys
    .command('list')
    .description('list keys, without their secrets')
    .option('--tenant <tenant>', 'only keys of one tenant')
    .option('--json', 'print JSON')
    .action(async (options: { tenant?: string; json?: boolean }) => {
      const records = await context.withKeys((manage) => manage.list(options.tenant));
      if (options.json) return context.print(JSON.stringify(records.map(shown)));
      const rows = records
        .map(shown)
        .map((key) => [key.id, key.tenant, key.name, key.scopes.join(','), key.state]);
      context.print(table([['ID', 'TENANT', 'NAME', 'SCOPES', 'STATE'], ...rows]));
    });

  keys
    .command('revoke <id>')
    .description(
      'revoke a key; every process refuses it at once, or within seconds if a process misses the notification',
    )
    .option('--json', 'print JSON')
    .action(async (id: string, options: { json?: boolean }) => {
      const record = await context.withKeys((manage) => manage.revoke(actor, id));
      context.print(options.json ? JSON.stringify(shown(record)) : `${record.id} is revoked.`);
    });

  keys
    .command('webhook-secret')
    .description("show the secret that signs a tenant's webhooks")
    .requiredOption('--tenant <tenant>', 'tenant of the secret (required)')
    .option('--json', 'print JSON')
    .action((options: { tenant: string; json?: boolean }) => {
      const secret = context.webhookSecretOf(options.tenant);
      context.print(options.json ? JSON.stringify({ tenant: options.tenant, secret }) : secret);
    });
}

function shown(record: ApiKeyRecord) {
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  const state = record.revokedAt ? 'revoked' : record.expiresAt ? `until ${iso(record.expiresAt)}` : 'live';
  const { id, tenant, name } = record;
  return {
    id,
    tenant,
    name,
    scopes: record.scopes,
    state,
    created_at: iso(record.createdAt),
    expires_at: iso(record.expiresAt),
    revoked_at: iso(record.revokedAt),
  };
}

function parseScopes(text: string): Scope[] {
  return text.split(',').map((item) => {
    const scope = scopes.find((each) => each === item.trim());
    if (!scope) throw new InvalidArgumentError(`${item.trim()} is not one of ${scopes.join(', ')}.`);
    return scope;
  });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!/^[0-9.]+$/.test(text) || !(days > 0 && days <= 3650)) {
    throw new InvalidArgumentError('It must be a number of days up to 3650, for example 90 or 0.5.');
  }
  return days;
}
