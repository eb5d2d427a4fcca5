import { beforeAll, describe, expect, it } from 'vitest';
import { billingOf } from '../../src/domain/attempt.ts';
import { generation } from '../support/generation.ts';
import { noiseImage } from '../support/images.ts';
import { openAIProvider } from '../support/provider-calls.ts';
import { respondWith, serve } from '../support/scripted-server.ts';

/**
 * Lists provider responses by status, code, type and shape. The table states the effect on the retry, the money and
 * the number of calls. Every row runs a whole job against a server that repeats its response.
 */

let png: Buffer;
let base64: string;
beforeAll(async () => {
  png = await noiseImage(64, 64);
  base64 = png.toString('base64');
});

type Outcome =
  | 'quota'
  | 'key'
  | 'moderation'
  | 'rejected'
  | 'limited'
  | 'overloaded'
  | 'unknown'
  | 'unusable';

/** Job status, error code, billing and calls of each outcome, for a deployment that pays twice at most. */
const outcomes: Record<Outcome, { status: string; code: string; billing: string; calls: number }> = {
  quota: { status: 'failed', code: 'provider_quota_exhausted', billing: 'none', calls: 1 },
  key: { status: 'failed', code: 'provider_unauthorized', billing: 'none', calls: 1 },
  moderation: { status: 'failed', code: 'moderation_blocked', billing: 'none', calls: 1 },
  rejected: { status: 'failed', code: 'provider_rejected', billing: 'none', calls: 1 },
  limited: { status: 'running', code: 'provider_rate_limited', billing: 'none', calls: 1 },
  overloaded: { status: 'running', code: 'provider_overloaded', billing: 'none', calls: 1 },
  unknown: { status: 'failed', code: 'provider_outcome_unknown', billing: 'possible', calls: 2 },
  unusable: { status: 'failed', code: 'provider_unusable_answer', billing: 'possible', calls: 1 },
};

async function run(status: number, body: unknown, headers: Record<string, string> = {}) {
  const server = await serve(respondWith(status, body, headers));
  const realProvider = openAIProvider(server.url);
  const made = generation({ realProvider, onQuota: 'fail', maxPaidAttempts: 2 });
  await made.run();
  const job = made.job();
  return {
    made,
    server,
    summary: {
      status: job.status,
      code: job.errors?.[0]?.code ?? job.attempts.at(-1)?.error,
      billing: billingOf(job.attempts),
      calls: server.seen.length,
    },
  };
}

const bare = (code: unknown, type: unknown = null) => ({ error: { code, type, message: 'No.' } });
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
      expect((await run(status, bare(code, type))).summary).toEqual(outcomes[outcome]);
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
    expect((await run(status, bare(null, type))).summary).toEqual(outcomes[outcome]);
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
    expect((await run(status, bare('code_of_tomorrow'), headers)).summary).toEqual(outcomes[outcome]);
  });
});

describe('the shape of an error', () => {
  const litellm = (text: string) => ({ error: { message: text, type: 'None', param: 'None', code: '400' } });
  const rows: readonly [string, number, unknown, Outcome][] = [
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
        `litellm.BadRequestError: OpenAIException - ${JSON.stringify(bare('billing_hard_limit_reached'))}`,
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
  it.each(rows)(
    'understands the shape of an error: %s with status %i',
    async (_name, status, body, outcome) => {
      expect((await run(status, body)).summary).toEqual(outcomes[outcome]);
    },
  );

  it('names the categories that Azure filtered', async () => {
    const error = {
      code: 'content_filter',
      inner_error: { content_filter_results: { violence: { filtered: true }, hate: { filtered: false } } },
    };
    const { made } = await run(400, { error });
    expect(made.job().errors?.[0]?.provider?.categories).toEqual(['violence']);
  });
});

describe('a refusal after a 2xx status', () => {
  const moderation = bare('moderation_blocked');
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
    ['with the type of a faulty request', 200, bare(null, 'invalid_request_error'), 'rejected'],
    ['without a wrapper', 200, { code: 'insufficient_user_quota', message: 'x' }, 'quota'],
    ['of an unknown kind', 200, bare('engine_down'), 'unusable'],
    ['of an unknown kind with a 5xx code', 200, bare(500), 'unusable'],
  ];
  it.each(rows)(
    'classifies a refusal after a 2xx status like the refusal that it contains: %s (%i)',
    async (_name, status, body, outcome) => {
      expect((await run(status, body)).summary).toEqual(outcomes[outcome]);
    },
  );
});

describe('a complete response of another shape', () => {
  const rows: readonly [string, () => unknown, RegExp][] = [
    ['a link', () => ({ data: [{ url: 'https://cdn.example/a.png' }] }), /a link instead of the image/],
    ['a task', () => ({ task_id: 'task_1', status: 'submitted' }), /a task to poll/],
    ['a task in data', () => ({ code: 200, data: { task_id: 'task_1' }, message: 'ok' }), /a task to poll/],
    ['an event stream', () => 'data: {"type":"image_generation.completed"}\n\n', /an event stream/],
    ['a web page', () => '<!doctype html><title>Sign in</title>', /a web page/],
    ['raw bytes', () => png.toString('latin1'), /not a JSON object|raw bytes/],
    ['a GIF', () => ({ data: [{ b64_json: Buffer.from('GIF89a....').toString('base64') }] }), /a GIF/],
    ['an AVIF', () => ({ data: [{ b64_json: Buffer.from('\0\0\0 ftypavif').toString('base64') }] }), /AVIF/],
    ['an empty list', () => ({ data: [] }), /list "data" is empty/],
  ];
  it.each(rows)('ends the job after one call and names the shape: %s', async (_name, body, message) => {
    const { made, summary } = await run(200, body());
    expect(summary).toEqual(outcomes.unusable);
    expect(made.job().errors?.[0]?.message).toMatch(message);
  });

  it.each([
    ['cut off', () => base64.slice(0, -40)],
    ['damaged', () => `${base64.slice(0, 40)}!${base64.slice(41)}`],
    ['no image at all', () => 'AAAA'],
  ])('pays a second time for damaged bytes, which another call can cure: %s', async (_name, image) => {
    const { summary } = await run(200, { data: [{ b64_json: image() }] });
    expect(summary).toEqual({ ...outcomes.unusable, calls: 2 });
  });

  it('stores an image from a data URI, and an image that is followed by other bytes', async () => {
    const uri = await run(200, { data: [{ url: `data:image/png;base64,${base64}` }] });
    expect(uri.summary).toMatchObject({ status: 'succeeded', calls: 1 });
    const trailed = Buffer.concat([png, Buffer.from('trailer')]);
    const { made, summary } = await run(200, { data: [{ b64_json: trailed.toString('base64') }] });
    expect(summary).toMatchObject({ status: 'succeeded', calls: 1 });
    expect([...made.stored.values()].map((bytes) => bytes.equals(trailed))).toEqual([true]);
  });

  it('pays once if the worker dies between the response and the end of the job', async () => {
    const { made, server } = await run(200, { data: [] });
    const { errors: _errors, finishedAt: _finishedAt, ...open } = made.job();
    made.set(() => ({ ...open, status: 'running' }));
    await made.run();
    expect(server.seen).toHaveLength(1);
    expect(made.job()).toMatchObject({ status: 'failed', errors: [{ code: 'provider_unusable_answer' }] });
  });
});

describe('a hint how long to wait', () => {
  it.each(['0', '0.001', '-1', '', 'soon'])(
    'never shortens the backoff because of Retry-After: %j',
    async (hint) => {
      const { made, summary, server } = await run(429, bare('rate_limit_exceeded'), { 'retry-after': hint });
      expect(summary).toEqual(outcomes.limited);
      expect(await made.run()).toEqual({ againInMs: 500 });
      expect(server.seen).toHaveLength(1);
    },
  );

  it.each([
    ['retry-after', '99999999'],
    ['retry-after-ms', '99999999999'],
    ['retry-after', 'Fri, 31 Dec 2200 23:59:59 GMT'],
    ['x-ratelimit-reset-requests', '999999h'],
  ])('limits the wait before a probe to 30 s for %s: %s', async (name, value) => {
    const server = await serve(respondWith(503, bare(null), { [name]: value }));
    const made = generation({ realProvider: openAIProvider(server.url) });
    const { againInMs } = (await made.run()) as { againInMs: number };
    expect(againInMs).toBeLessThanOrEqual(30_000);
    expect(made.job()).toMatchObject({ blocked: { scope: 'openai:model:gpt-image-2' } });
  });
});
