import { getLedgerRoute } from './get-ledger.ts';
import { getUsageRoute } from './get-usage.ts';

/** Routes of usage and ledger. */
export const usageRoutes = [getUsageRoute, getLedgerRoute] as const;
