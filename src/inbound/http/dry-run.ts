import type { Eta } from '../../usecases/jobs/get-eta.ts';
import type { Preview } from '../../usecases/jobs/preview-request.ts';

/** Query of a route with a dry run. */
export interface DryRunQuery {
  readonly dry_run?: boolean;
}

export const dryRunQuery = {
  type: 'object',
  properties: {
    dry_run: {
      type: 'boolean',
      description:
        'Validates, normalizes and estimates. Nothing is stored, queued or held. `warnings` says if a budget would refuse the request now.',
    },
  },
};

/**
 * Returns the estimate of a dry run on the wire. Unknown amounts and times are `null`.
 *
 * @param eta the time that jobs like the request took; `null` if there are too few.
 */
export function viewEstimate({ estimate, queueDepth }: Preview, eta: Eta | null) {
  return {
    low_micro_usd: estimate?.low ?? null,
    high_micro_usd: estimate?.high ?? null,
    eta_s: eta,
    queue_depth: queueDepth,
  };
}
