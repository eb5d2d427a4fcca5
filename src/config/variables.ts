import type { VariableSet } from '../lib/variable.ts';
import { access } from './variables/access.ts';
import { commandLine } from './variables/command-line.ts';
import { inputs } from './variables/inputs.ts';
import { limits } from './variables/limits.ts';
import { openAiApi } from './variables/openai-api.ts';
import { prompts } from './variables/prompts.ts';
import { provider } from './variables/provider.ts';
import { proxies } from './variables/proxies.ts';
import { redis } from './variables/redis.ts';
import { serving } from './variables/serving.ts';
import { storage } from './variables/storage.ts';
import { usage } from './variables/usage.ts';
import { webhooks } from './variables/webhooks.ts';
import { work } from './variables/work.ts';

export { type Role, roles } from './variables/serving.ts';

/**
 * Every environment variable, in the order of the documentation. `config.ts` reads them; `docs/configuration.md` and
 * `.env.example` are generated from them.
 */
export const variables = {
  ...serving,
  ...redis,
  ...storage,
  ...provider,
  ...proxies,
  ...prompts,
  ...access,
  ...work,
  ...inputs,
  ...webhooks,
  ...openAiApi,
  ...limits,
  ...usage,
  ...commandLine,
} as const satisfies VariableSet;

export type VariableName = keyof typeof variables;

/** Returns all names of the variable that a name stands for. Empty if there is no such variable. */
export function namesOf(name: string): string[] {
  const set: VariableSet = variables;
  for (const [known, { otherName }] of Object.entries(set)) {
    const names = [known, `${known}_FILE`, ...(otherName ? [otherName] : [])];
    if (names.includes(name)) return names;
  }
  return [];
}
