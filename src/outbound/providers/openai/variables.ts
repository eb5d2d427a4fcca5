import { z } from 'zod';
import type { RefusedInputs } from '../../../domain/input-image.ts';
import { credential, defineVariable, text, truth, url } from '../../../lib/variable.ts';
import { providerSection as section } from '../provider-definition.ts';

/** Paths of calls, which are appended to the base address. */
const callPath = /\/(?:images\/(?:generations|edits)|responses|chat\/completions)\/?(?:\?|$)/;

/** Returns the inputs that a mode of the API never takes. */
export const refusedInputs = ({ OPENAI_MODE }: { readonly OPENAI_MODE: string }): RefusedInputs =>
  OPENAI_MODE === 'responses' ? { markup: 'is not taken in the mode of this deployment. Use a mask' } : {};

/** The variables of every provider that speaks the OpenAI API. */
export const openaiVariables = {
  OPENAI_API_KEY: defineVariable({
    section,
    schema: credential,
    secret: true,
    about: 'API key of the provider account.',
  }),
  OPENAI_BASE_URL: defineVariable({
    section,
    schema: url.refine((address) => !callPath.test(address), {
      error: 'must end before the path of a call, for example with /v1',
    }),
    about:
      'Address of another server with the OpenAI API, including its version such as `/v1`. Its query is sent with every call.',
  }),
  OPENAI_MODE: defineVariable({
    section,
    schema: z.enum(['images', 'responses']),
    fallback: 'images',
    about:
      '`images`: one request per image. `responses`: background mode of the Responses API. A worker crash during a call then costs nothing. A text model runs the image tool and may reword the prompt. Requests are sent with `store: true`; the provider keeps the results.',
  }),
  RESPONSES_MODEL: defineVariable({
    section,
    schema: text,
    fallback: 'gpt-5.4-mini',
    about: 'Text model that runs the image tool if OPENAI_MODE is `responses`.',
  }),
  SEND_SAFETY_IDENTIFIER: defineVariable({
    section,
    schema: truth,
    fallback: 'true',
    about:
      'Sends `safety_identifier` with every paid call: a keyed hash of the tenant and the end user. Set it to false only for a server that refuses the field.',
  }),
};
