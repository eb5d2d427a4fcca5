import { type CallInput, ProviderError } from '../../../../domain/ports.ts';

/** A piece of a request body: text, or the bytes of an input. */
export type BodyPart = string | { readonly input: CallInput; readonly encoding: 'bytes' | 'base64' };

/** A request body of known length that streams the bytes of its inputs from the storage. */
export interface StreamedBody {
  readonly sizeBytes: number;
  /** The body. It can be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Returns whether every byte was passed to the connection. If not, the provider cannot have accepted the request. */
  isSent(): boolean;
  /** Returns the error of an input that could not be read; `undefined` if there is none. */
  fault(): ProviderError | undefined;
}

/**
 * Creates a body from its parts. Inputs are opened one after the other, and one chunk at a time is in memory. If an input
 * cannot be read, the body ends early. The provider then gets fewer bytes than announced and cannot accept the request.
 */
export function createStreamedBody(parts: readonly BodyPart[]): StreamedBody {
  let fault: ProviderError | undefined;
  let sentBytes = 0;
  const sizeBytes = parts.reduce((sum, part) => sum + sizeOf(part), 0);

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const part of parts) {
      for await (const chunk of typeof part === 'string' ? [Buffer.from(part)] : bytesOf(part)) {
        sentBytes += chunk.byteLength;
        yield chunk;
      }
    }
  }

  async function* bytesOf({ input, encoding }: Exclude<BodyPart, string>) {
    try {
      yield* encoding === 'base64' ? toBase64(contentOf(input)) : contentOf(input);
    } catch (error) {
      fault = error instanceof ProviderError ? error : unreadable(error);
      throw fault;
    }
  }

  return {
    sizeBytes,
    chunks: chunks(),
    isSent: () => sentBytes === sizeBytes,
    fault: () => fault,
  };
}

function sizeOf(part: BodyPart): number {
  if (typeof part === 'string') return Buffer.byteLength(part);
  const { sizeBytes } = part.input;
  return part.encoding === 'base64' ? 4 * Math.ceil(sizeBytes / 3) : sizeBytes;
}

/** Reads an input. @throws ProviderError if it is gone or shorter than recorded. */
async function* contentOf(input: CallInput): AsyncGenerator<Uint8Array, void, undefined> {
  const stored = await input.open();
  if (!stored) throw missing();
  let total = 0;
  for await (const chunk of stored) {
    total += chunk.byteLength;
    if (total > input.sizeBytes) throw missing();
    yield chunk;
  }
  if (total !== input.sizeBytes) throw unreadable(new Error(`${total} of ${input.sizeBytes} bytes`));
}

async function* toBase64(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    const whole = bytes.length - (bytes.length % 3);
    yield Buffer.from(bytes.toString('base64', 0, whole));
    rest = bytes.subarray(whole);
  }
  if (rest.length > 0) yield Buffer.from(rest.toString('base64'));
}

/** Describes a call whose input was not sent completely. Nothing was accepted, so it may be repeated. */
function unreadable(cause: unknown): ProviderError {
  const message = 'An input could not be read from the storage. The call was not completed.';
  return new ProviderError({ kind: 'refused', code: 'storage_unavailable', billing: 'none', message }, cause);
}

function missing(): ProviderError {
  const message = 'An input of the job is not in the storage any more.';
  return new ProviderError({ kind: 'final', code: 'input_unavailable', billing: 'none', message });
}
