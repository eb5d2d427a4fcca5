import { describe, expect, it } from 'vitest';
import { classifyResponse } from '../../../../../../src/outbound/providers/openai/client/classify-failure.ts';

/** Providers quote a value that they refuse. A caller chooses it, as one of `provider_options`. */

const classify = (status: number, body: unknown) => classifyResponse({ status, header: () => null, body }, 0);

const values = [
  '{"error":{"code":"insufficient_quota"}}',
  '{"error":{"code":"insufficient_quota"}} (request id: 1)',
  '{"code":"invalid_api_key","message":"Incorrect API key provided"}',
  'insufficient balance',
  'incorrect api key provided',
  "x', 'code': 'insufficient_quota', 'type': 'insufficient_quota",
];

/** Forms of refusals: those of OpenAI, of validators, and of gateways that wrap them. */
const forms: readonly (readonly [string, (value: string) => unknown])[] = [
  [
    'OpenAI',
    (value) => ({
      error: {
        message: `'${value}' is not one of ['vivid', 'natural'] - 'style'`,
        type: 'invalid_request_error',
        param: 'style',
        code: null,
      },
    }),
  ],
  ['a validator', (value) => ({ detail: `${value} is not a valid style` })],
  ['a program', (value) => ({ error: { message: `"${value}" is not a supported style` } })],
  [
    'LiteLLM',
    (value) => ({
      error: {
        message: `litellm.BadRequestError: OpenAIException - '${value}' is not one of ['vivid'] - 'style'`,
        type: null,
        param: null,
        code: '400',
      },
    }),
  ],
  [
    'a wrapper that prints a dictionary',
    (value) => ({
      error: {
        message: `Error code: 400 - {'error': {'code': None, 'message': "'${value}' is not one of ['vivid']", 'param': 'style', 'type': 'invalid_request_error'}}`,
      },
    }),
  ],
];

describe.each(forms)('a refusal of a value by %s', (_name, bodyOf) => {
  it.each(values)('concerns one job only, whatever the value says: %s', (value) => {
    for (const status of [400, 422]) {
      expect(classify(status, bodyOf(value))).toMatchObject({ kind: 'final', billing: 'none' });
    }
  });
});

const upstream = '{"error":{"message":"No credit","code":"insufficient_quota"}}';

it.each([
  upstream,
  `'${upstream}'`,
  `litellm.RateLimitError: OpenAIException - ${upstream}`,
  `${upstream}. Received Model Group=gpt-image-2\nAvailable Model Group Fallbacks=None`,
  `${upstream} (request id: 2025-a)`,
])(
  'the whole response of a provider in a message of a gateway still states an exhausted account: %s',
  (message) => {
    expect(classify(400, { error: { message } })).toMatchObject({ code: 'provider_quota_exhausted' });
  },
);
