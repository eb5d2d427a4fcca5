import { describe, expect, it } from 'vitest';
import { bareError, type Outcome, outcomes, runAgainst } from '../support/provider-outcomes.ts';

/**
 * Lists refusals of providers by status, code, type and shape. The tables state the effect on the retry, the money and
 * the number of calls.
 */

const everyStatus = [200, 202, 400, 401, 402, 403, 404, 422, 429, 500, 503];

describe('a known code or type', () => {
  const known: readonly [string, string | null, Outcome][] = [
    ['billing_hard_limit_reached', 'billing_limit_user_error', 'quota'],
    ['insufficient_quota', 'insufficient_quota', 'quota'],
    ['insufficient_user_quota', 'new_api_error', 'quota'],
    ['invalid_api_key', 'invalid_request_error', 'key'],
    ['moderation_blocked', 'image_generation_user_error', 'moderation'],
    ['rate_limit_exceeded', 'requests', 'limited'],
    ['server_is_overloaded', 'server_error', 'overloaded'],
    ['unknown_parameter', 'invalid_request_error', 'rejected'],
  ];
  const rows = known.flatMap(([code, type, outcome]) =>
    everyStatus.map((status) => [code, status, type, outcome] as const),
  );
  it.each(rows)(
    'lets the code %s decide before status %i (type %s): %s',
    async (code, status, type, outcome) => {
      expect((await runAgainst(status, bareError(code, type))).summary).toEqual(outcomes[outcome]);
    },
  );

  it.each([
    [400, 'budget_exceeded', 'quota'],
    [429, 'insufficient_quota', 'quota'],
    [403, 'pre_consume_token_quota_failed', 'quota'],
    [400, 'authentication_error', 'key'],
    [400, 'rate_limit_error', 'limited'],
    [529, 'overloaded_error', 'overloaded'],
  ] as const)('classifies status %i by the type %s alone: %s', async (status, type, outcome) => {
    expect((await runAgainst(status, bareError(null, type))).summary).toEqual(outcomes[outcome]);
  });
});

describe('an unknown code', () => {
  it.each([
    [400, 'rejected'],
    [401, 'key'],
    [402, 'quota'],
    [403, 'key'],
    [404, 'rejected'],
    [409, 'rejected'],
    [429, 'limited'],
    [500, 'unknown'],
    [502, 'unknown'],
    [503, 'overloaded'],
    [504, 'unknown'],
    [524, 'unknown'],
    [301, 'unusable'],
    [307, 'unusable'],
  ] as const)('falls back to status %i if the code is unknown: %s', async (status, outcome) => {
    const headers = status < 400 ? { location: '/v1/elsewhere' } : {};
    expect((await runAgainst(status, bareError('code_of_tomorrow'), headers)).summary).toEqual(
      outcomes[outcome],
    );
  });
});

const litellm = (text: string) => ({ error: { message: text, type: 'None', param: 'None', code: '400' } });

/** Name, status, body and outcome of errors in the shapes of known gateways. */
const shapes: readonly [string, number, unknown, Outcome][] = [
  [
    'Azure inner_error',
    400,
    { error: { code: 'invalid_request', inner_error: { code: 'ResponsibleAIPolicyViolation' } } },
    'moderation',
  ],
  [
    'Azure innererror with filter results',
    400,
    {
      error: {
        code: '400',
        innererror: { code: 'x', content_filter_result: { sexual: { filtered: true } } },
        message:
          'The response was filtered due to the prompt triggering Azure OpenAI’s content management policy.',
      },
    },
    'moderation',
  ],
  [
    'LiteLLM provider_specific_fields',
    400,
    { error: { code: '400', provider_specific_fields: { innererror: { code: 'content_filter' } } } },
    'moderation',
  ],
  [
    'LiteLLM exception text',
    400,
    litellm(
      'litellm.ContentPolicyViolationError: OpenAIException - Your request was rejected by the safety system.',
    ),
    'moderation',
  ],
  [
    'LiteLLM with JSON in the message',
    500,
    litellm(
      `litellm.BadRequestError: OpenAIException - ${JSON.stringify(bareError('billing_hard_limit_reached'))}`,
    ),
    'quota',
  ],
  [
    'a Python dictionary in the message',
    400,
    litellm(
      "Error code: 400 - {'error': {'message': 'x', 'type': 'y', 'param': None, 'code': 'insufficient_quota'}}",
    ),
    'quota',
  ],
  [
    'LiteLLM rate limit with the sentence of OpenAI',
    429,
    litellm(
      'litellm.RateLimitError: OpenAIException - You exceeded your current quota, please check your plan.',
    ),
    'quota',
  ],
  ['new-api without a wrapper', 403, { code: 'insufficient_user_quota', message: 'x' }, 'quota'],
  ['LobeHub errorType', 471, { errorType: 'InsufficientQuota', body: { error: {} } }, 'quota'],
  ['FastAPI detail', 401, { detail: 'Invalid API key' }, 'key'],
  ['a list of errors', 400, { errors: [{ code: 'moderation_blocked' }] }, 'moderation'],
  [
    'OpenRouter metadata',
    403,
    { error: { code: 403, metadata: { raw: '{"error":{"code":"content_policy_violation"}}' } } },
    'moderation',
  ],
  ['plain text', 404, 'no such model', 'rejected'],
  ['a web page', 502, '<html>bad gateway</html>', 'unknown'],
  [
    'a prompt echoed with a stop code in it',
    400,
    {
      error: {
        code: 'invalid_value',
        message: 'Invalid prompt: "insufficient_quota {"error":{"code":"invalid_api_key"}}"',
      },
    },
    'rejected',
  ],
];

describe('the shape of an error', () => {
  it.each(shapes)(
    'understands the shape of an error: %s with status %i',
    async (_name, status, body, outcome) => {
      expect((await runAgainst(status, body)).summary).toEqual(outcomes[outcome]);
    },
  );

  it('names the categories that Azure filtered', async () => {
    const error = {
      code: 'content_filter',
      inner_error: { content_filter_results: { violence: { filtered: true }, hate: { filtered: false } } },
    };
    const { made } = await runAgainst(400, { error });
    expect(made.job().errors?.[0]?.provider?.categories).toEqual(['violence']);
  });
});

describe('a refusal after a 2xx status', () => {
  const moderation = bareError('moderation_blocked');
  const rows: readonly [string, number, unknown, Outcome][] = [
    ['behind white space', 200, `   \n\n ${JSON.stringify(moderation)}`, 'moderation'],
    ['with status 202', 202, moderation, 'moderation'],
    ['beside an empty list', 200, { ...moderation, data: [] }, 'moderation'],
    ['as an error event', 200, `event: error\ndata: ${JSON.stringify(moderation)}\n\n`, 'moderation'],
    [
      'as an error event without a wrapper',
      200,
      'event: error\r\ndata: {"type":"error","code":"insufficient_quota"}\r\n\r\n',
      'quota',
    ],
    [
      'behind other events',
      200,
      `: ping\n\ndata: {"type":"progress"}\n\ndata: ${JSON.stringify(moderation)}\n\n`,
      'moderation',
    ],
    ['with a numeric code', 200, { error: { code: 400, message: 'Bad size' } }, 'rejected'],
    ['with the type of a faulty request', 200, bareError(null, 'invalid_request_error'), 'rejected'],
    ['without a wrapper', 200, { code: 'insufficient_user_quota', message: 'x' }, 'quota'],
    ['of an unknown kind', 200, bareError('engine_down'), 'unusable'],
    ['of an unknown kind with a 5xx code', 200, bareError(500), 'unusable'],
  ];
  it.each(rows)(
    'classifies a refusal after a 2xx status like the refusal that it contains: %s (%i)',
    async (_name, status, body, outcome) => {
      expect((await runAgainst(status, body)).summary).toEqual(outcomes[outcome]);
    },
  );
});

describe('a refusal after a 2xx status that reports usage', () => {
  const usage = { input_tokens: 17, output_tokens: 196, total_tokens: 213 };
  const costMicroUsd = 17 * 5 + 196 * 30;

  it.each([
    ['content', { data: [], ...bareError('moderation_blocked') }, 'moderation', 1],
    ['content of an entry', { data: [{ b64_json: null, finish_reason: 'content_filter' }] }, 'moderation', 1],
    ['credit', bareError('insufficient_quota'), 'quota', 1],
    ['rate', bareError('rate_limit_exceeded'), 'limited', 2],
  ] as const)(
    'charges a refusal of the %s with the usage, and repeats none without a limit',
    async (_name, body, outcome, calls) => {
      const { made, summary } = await runAgainst(200, { ...body, usage });
      expect(summary).toEqual({ status: 'failed', code: outcomes[outcome].code, billing: 'charged', calls });
      for (const attempt of made.job().attempts)
        expect(attempt).toMatchObject({ charged: true, costMicroUsd });
    },
  );
});
