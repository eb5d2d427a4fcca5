import type { Caller } from '../../domain/api-key.ts';
import { checkModeratedInputs } from '../../domain/edit-rules.ts';
import type { CostRange } from '../../domain/estimate.ts';
import type { ImageRequest, ImageRequestFields } from '../../domain/image-request.ts';
import { checkKeyRules } from '../../domain/key-rules.ts';
import type { JobQueue, RequestedInput, Spending } from '../../domain/ports.ts';
import type { PrepareInputs } from '../inputs/prepare-inputs.ts';
import { createCheckBudgets } from './check-budgets.ts';
import { prepareRequest, type RequestPolicy, type Rules } from './prepare-request.ts';
import { factsOfInputs } from './with-stored-inputs.ts';

interface Deps extends Rules {
  jobQueue: Pick<JobQueue, 'counts'>;
  spending: Spending;
  prepareInputs: PrepareInputs;
  policy: RequestPolicy;
}

/** The normalized request and its estimated cost. */
export interface Preview {
  readonly request: ImageRequest;
  readonly warnings: readonly string[];
  /** `null` if the cost is unknown. */
  readonly estimate: CostRange | null;
  readonly queueDepth: number;
}

/** Creates the dry run of a submission: checks and estimates a request. Nothing is stored or held. */
export function createPreviewRequest(deps: Deps) {
  const checkBudgets = createCheckBudgets(deps);
  return async (
    body: ImageRequestFields,
    by?: { readonly caller: Caller; readonly inputs: readonly RequestedInput[] },
  ): Promise<Preview> => {
    const prepared = prepareRequest(body, deps, by?.inputs);
    if (by) checkKeyRules(by.caller.policy.key, prepared.request, deps.catalogue);
    const facts = by?.inputs.length
      ? await factsOfInputs(deps.prepareInputs, { tenant: by.caller.tenant, inputs: by.inputs })
      : [];
    const { request, warnings, estimate } = facts.length > 0 ? prepareRequest(body, deps, facts) : prepared;
    checkModeratedInputs(request, facts);
    const refused = by ? await checkBudgets(by.caller, { request, estimate }) : [];
    const { waiting, delayed } = await deps.jobQueue.counts();
    return { request, warnings: [...warnings, ...refused], estimate, queueDepth: waiting + delayed };
  };
}
