import { randomUUID } from 'node:crypto';
import type { OpenAI } from 'openai';
import { type CallInput, type ImageCall, ProviderError } from '../../../../domain/ports.ts';
import type { ProviderCall } from '../client/provider-call.ts';
import { backgroundBody } from './request-body.ts';
import { type BodyPart, createStreamedBody, type StreamedBody } from './streamed-body.ts';
import { sendStreamed } from './submit-images.ts';

/**
 * Sends the request for one image in the background mode of the Responses API: a generation, or an edit if the call has
 * inputs.
 *
 * @throws ProviderError; of kind `refused` or `final` if an input could not be read or is not supported.
 */
export async function submitResponse(
  client: OpenAI,
  running: ProviderCall,
  { call, hostModelName }: { readonly call: ImageCall; readonly hostModelName: string },
): Promise<Response> {
  const body = backgroundBody(call, hostModelName);
  if (!call.inputs?.length) {
    return running.send((options) => client.responses.create(body, options).asResponse());
  }
  const streamed = editBody(body, call);
  return sendStreamed(running, streamed, (options) => client.post('/responses', options).asResponse());
}

/** Builds the JSON of an edit. The inputs become data URIs that stream from the storage. */
function editBody(
  body: ReturnType<typeof backgroundBody>,
  call: ImageCall,
): StreamedBody & { readonly contentType: string } {
  const inputs = call.inputs ?? [];
  if (inputs.some(({ role }) => role === 'markup')) throw unsupported();
  // Each token stands for the base64 of one input and occurs nowhere else in the JSON.
  const tokens = new Map(inputs.map((input) => [input, `darkroom-${randomUUID()}`]));
  const uriOf = (input: CallInput) => `data:${input.contentType};base64,${tokens.get(input)}`;
  const mask = inputs.find(({ role }) => role === 'mask');
  const [tool] = body.tools ?? [];
  const json = JSON.stringify({
    ...body,
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: call.prompt },
          ...inputs
            .filter(({ role }) => role === 'image')
            .map((input) => ({ type: 'input_image', detail: 'auto', image_url: uriOf(input) })),
        ],
      },
    ],
    tools: [{ ...tool, action: 'edit', ...(mask ? { input_image_mask: { image_url: uriOf(mask) } } : {}) }],
  });
  return { ...createStreamedBody(partsOf(json, tokens)), contentType: 'application/json' };
}

/** Splits a JSON text at the tokens of the inputs. */
function partsOf(json: string, tokens: ReadonlyMap<CallInput, string>): BodyPart[] {
  let rest = json;
  const parts: BodyPart[] = [];
  for (const [input, token] of [...tokens].sort(([, a], [, b]) => json.indexOf(a) - json.indexOf(b))) {
    const at = rest.indexOf(token);
    parts.push(rest.slice(0, at), { input, encoding: 'base64' });
    rest = rest.slice(at + token.length);
  }
  return [...parts, rest];
}

function unsupported(): ProviderError {
  const message = 'The Responses API takes no markup. Use a mask, or the Images API.';
  return new ProviderError({ kind: 'final', code: 'provider_rejected', billing: 'none', message });
}
