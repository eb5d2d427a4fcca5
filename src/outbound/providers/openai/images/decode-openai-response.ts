import type { DecodeResponse } from '../../../../domain/ports.ts';
import { decodeResponseBody } from './decode-response-body.ts';
import { limitsOf } from './provider-config.ts';

/** Decodes a response of a server that speaks the OpenAI API, with the default limits. Needs no configuration. */
export const decodeOpenAIResponse: DecodeResponse = (response, memory) =>
  decodeResponseBody(response, limitsOf({}), memory);
