import { changeKeyRoute } from './change-key.ts';
import { createKeyRoute } from './create-key.ts';
import { deleteKeyOverridesRoute } from './delete-key-overrides.ts';
import { getKeyRoute } from './get-key.ts';
import { getOwnKeyRoute } from './get-own-key.ts';
import { listKeysRoute } from './list-keys.ts';
import { overrideKeyBudgetRoute } from './override-key-budget.ts';
import { revokeKeyRoute } from './revoke-key.ts';
import { rotateKeyRoute } from './rotate-key.ts';

/** Routes of API keys. */
export const keyRoutes = [
  createKeyRoute,
  listKeysRoute,
  getOwnKeyRoute,
  getKeyRoute,
  changeKeyRoute,
  rotateKeyRoute,
  overrideKeyBudgetRoute,
  deleteKeyOverridesRoute,
  revokeKeyRoute,
] as const;
