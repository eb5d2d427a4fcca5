import type { OpenAI } from 'openai';
import { type ImageCall, ProviderError } from '../../../../domain/ports.ts';
import { classifyCutUpload } from '../client/classify-break.ts';
import type { ProviderCall } from '../client/provider-call.ts';
import { editForm } from './edit-form.ts';
import { editJson, needsJson } from './edit-json.ts';
import { imagesBody } from './request-body.ts';
import type { StreamedBody } from './streamed-body.ts';

/**
 * Sends the request for one image: a generation, or an edit if the call has inputs.
 *
 * @throws ProviderError; of kind `refused` or `final` if an input could not be read or does not fit.
 */
export async function submitImages(
  client: OpenAI,
  running: ProviderCall,
  call: ImageCall,
): Promise<Response> {
  if (!call.inputs?.length) {
    return running.send((options) => client.images.generate(imagesBody(call), options).asResponse());
  }
  const body = needsJson(call) ? editJson(call) : editForm(call);
  return sendStreamed(running, body, (options) => client.post('/images/edits', options).asResponse());
}

/** Sends a request with a streamed body. @throws ProviderError; of kind `refused` if the body was not sent completely. */
export async function sendStreamed(
  running: ProviderCall,
  body: StreamedBody & { readonly contentType: string },
  request: (options: OpenAI.RequestOptions) => Promise<Response>,
): Promise<Response> {
  try {
    return await running.send((options) =>
      request({
        ...options,
        body: body.chunks,
        headers: {
          ...(options.headers as Record<string, string>),
          'Content-Type': body.contentType,
          'Content-Length': String(body.sizeBytes),
        },
      }),
    );
  } catch (error) {
    throw body.fault() ?? (body.isSent() ? error : cutUpload(error));
  }
}

/** A known refusal stays as it is, also if it arrived before the end of the body. */
function cutUpload(error: unknown): unknown {
  const isUncertain = error instanceof ProviderError && error.failure.kind === 'uncertain';
  return isUncertain ? new ProviderError(classifyCutUpload(error.failure), error) : error;
}
