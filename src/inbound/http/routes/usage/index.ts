import { getLedgerRoute } from './get-ledger.ts';
import { getUsageRoute } from './get-usage.ts';
import { settleJobRoute } from './settle-job.ts';

/** Routes of usage and ledger. */
export const usageRoutes = [getUsageRoute, getLedgerRoute, settleJobRoute] as const;
