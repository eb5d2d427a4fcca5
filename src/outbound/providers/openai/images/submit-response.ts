import type { OpenAI } from 'openai';
import { type ImageCall, ProviderError } from '../../../../domain/ports.ts';
import type { ProviderCall } from '../client/provider-call.ts';
import { jsonWithInputs } from './json-with-inputs.ts';
import { backgroundBody } from './request-body.ts';
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

/** Builds the JSON of an edit. The inputs become data URLs that stream from the storage. */
function editBody(body: ReturnType<typeof backgroundBody>, { prompt, inputs = [] }: ImageCall) {
  if (inputs.some(({ role }) => role === 'markup')) throw unsupported();
  const mask = inputs.find(({ role }) => role === 'mask');
  const [tool] = body.tools ?? [];
  return jsonWithInputs(inputs, (urlOf) => ({
    ...body,
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: prompt },
          ...inputs
            .filter(({ role }) => role === 'image')
            .map((input) => ({ type: 'input_image', detail: 'auto', image_url: urlOf(input) })),
        ],
      },
    ],
    tools: [{ ...tool, action: 'edit', ...(mask ? { input_image_mask: { image_url: urlOf(mask) } } : {}) }],
  }));
}

function unsupported(): ProviderError {
  const message = 'The Responses API takes no markup. Use a mask, or the Images API.';
  return new ProviderError({ kind: 'final', code: 'provider_rejected', billing: 'none', message });
}
