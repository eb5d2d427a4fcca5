import { expect, it } from 'vitest';
import { type Outcome, outcomes, runAgainst } from '../support/provider-outcomes.ts';

/**
 * Refusals of one end user or one action by the safety checks of OpenAI. Every call names its end user in
 * `safety_identifier`, so that they do not concern the account.
 */

const refusals: readonly (readonly [error: object, outcome: Outcome])[] = [
  [
    {
      type: 'invalid_request',
      code: 'cyber_policy_violation',
      message:
        "This user's access to gpt-image-2.6 has been temporarily limited for potentially suspicious activity.",
      param: 'safety_identifier',
    },
    'moderation',
  ],
  [
    {
      type: 'policy',
      code: 'misalignment_policy_violation',
      message: 'This action was blocked.',
      param: null,
    },
    'moderation',
  ],
  [{ type: 'forbidden', code: null, message: 'identifier blocked', param: null }, 'moderation'],
  [{ type: 'forbidden', code: 'user_limited', message: 'Not now.', param: 'safety_identifier' }, 'rejected'],
  [{ type: 'forbidden', code: 'no_access', message: 'Verify first.', param: 'model' }, 'rejected'],
];

it.each(refusals)('a refusal with status 403 fails its job only: %j', async (error, outcome) => {
  const { made, summary } = await runAgainst(403, { error });
  expect(summary).toEqual(outcomes[outcome]);
  expect(made.blocked.size).toBe(0);
});

it.each([null, '', 'None'])(
  'a refusal with status 403 that names no parameter blocks the account: %j',
  async (param) => {
    const { made, summary } = await runAgainst(403, {
      error: { type: 'forbidden', message: 'No access.', param },
    });
    expect(summary).toEqual(outcomes.key);
    expect(made.blocked.size).toBe(1);
  },
);
