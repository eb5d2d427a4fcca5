import { ResponseFault } from './response-fault.ts';
import { createResponseScanner } from './response-scanner.ts';

/** Functions that are called while a response arrives. */
interface Progress {
  /** Called when the text of an image has passed. */
  readonly hasImage?: (() => void) | undefined;
  /** Called when the JSON object is complete. */
  readonly isWhole?: (() => void) | undefined;
}

/**
 * Passes a response on, up to the chunk with the end of its JSON object. The response is complete then, whatever the
 * connection does afterwards: it may break, stay silent or state another length. A body that is no JSON object passes
 * unchanged.
 */
export async function* untilWhole(
  body: AsyncIterable<Uint8Array>,
  progress: Progress,
): AsyncGenerator<Uint8Array, void, undefined> {
  const watch = watchObject();
  for await (const chunk of body) {
    const { hasImage, isWhole } = watch(chunk);
    if (hasImage) progress.hasImage?.();
    if (isWhole) progress.isWhole?.();
    yield chunk;
    if (isWhole) return;
  }
}

function watchObject() {
  let hasBytes = false;
  const scanner = createResponseScanner({
    write(bytes) {
      hasBytes ||= bytes.length > 0;
    },
    end: () => hasBytes,
  });
  let isObject = true;

  return (chunk: Uint8Array) => {
    try {
      if (isObject) scanner.push(chunk);
    } catch (error) {
      // The decoder reports the fault.
      if (!(error instanceof ResponseFault)) throw error;
      isObject = false;
    }
    return { hasImage: isObject && scanner.hasImage(), isWhole: isObject && scanner.isWhole() };
  };
}
