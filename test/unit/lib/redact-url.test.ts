import { expect, it } from 'vitest';
import { redactUrl } from '../../../src/lib/redact-url.ts';

it.each([
  ['https://user:pa55@llm.example/v1', 'https://hidden:hidden@llm.example/v1'],
  ['https://t0ken@llm.example/v1', 'https://hidden@llm.example/v1'],
  [
    'https://llm.example/v1?api-version=2&api-key=s3cr3t',
    'https://llm.example/v1?api-version=2&api-key=hidden',
  ],
  ['https://llm.example/v1?code=s3cr3t&sig=s3cr3t', 'https://llm.example/v1?code=hidden&sig=hidden'],
])('hides the secrets of the URL %s', (text, shown) => expect(redactUrl(text)).toBe(shown));

it.each(['https://llm.example/v1?api-version=2', 'info', '8080', './data', ''])(
  'leaves the text %j unchanged, which has no secret',
  (text) => expect(redactUrl(text)).toBe(text),
);
