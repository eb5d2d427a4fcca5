import { maxModeratedBytes } from '../../../../domain/edit-rules.ts';
import { type ImageCall, ProviderError } from '../../../../domain/ports.ts';
import { jsonWithInputs } from './json-with-inputs.ts';
import { imagesBody } from './request-body.ts';
import type { StreamedBody } from './streamed-body.ts';

/** Returns whether a call has a parameter that the provider takes in the JSON form of an edit only. */
export const needsJson = ({ parameters }: Pick<ImageCall, 'parameters'>): boolean =>
  parameters.moderation !== undefined;

/**
 * Builds the JSON body of an edit.
 *
 * @throws ProviderError of kind `final` if an input does not fit the form.
 */
export function editJson(call: ImageCall): StreamedBody & { readonly contentType: string } {
  const { inputs = [] } = call;
  // Inputs with a URL have no size before they are fetched, so only this check knows it.
  if (inputs.some(({ sizeBytes }) => sizeBytes > maxModeratedBytes))
    throw rejected(`With moderation, an input may have at most ${maxModeratedBytes} bytes.`);
  if (inputs.some(({ role }) => role === 'markup'))
    throw rejected('The provider takes moderation without a markup only.');
  const mask = inputs.find(({ role }) => role === 'mask');
  return jsonWithInputs(inputs, (urlOf) => ({
    ...imagesBody(call),
    images: inputs.filter(({ role }) => role === 'image').map((input) => ({ image_url: urlOf(input) })),
    ...(mask ? { mask: { image_url: urlOf(mask) } } : {}),
  }));
}

function rejected(message: string): ProviderError {
  return new ProviderError({ kind: 'final', code: 'provider_rejected', billing: 'none', message });
}
