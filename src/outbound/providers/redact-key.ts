import {
  type CallContext,
  type DecodeResponse,
  ProviderError,
  type ResponseSink,
} from '../../domain/ports.ts';
import type { OpenProvider } from './provider-definition.ts';

/** A shorter word is no key: a provider that needs none gets any word, which its texts may contain by chance. */
const shortestKey = 12;

/** Replaces a key in all texts of a plain value. Gateways echo keys of any form. */
export function withoutKey<T>(value: T, key: string): T {
  if (key.length < shortestKey) return value;
  const clean = (part: unknown): unknown => {
    if (typeof part === 'string') return part.replaceAll(key, '[redacted]');
    if (Array.isArray(part)) return part.map(clean);
    if (typeof part !== 'object' || part === null || Object.getPrototypeOf(part) !== Object.prototype)
      return part;
    return Object.fromEntries(Object.entries(part).map(([name, each]) => [name, clean(each)]));
  };
  return clean(value) as T;
}

/** Removes the key of a provider from everything that its responses say: failures, request ids, prompts, handles. */
export function redactKey(provider: OpenProvider, key: string): OpenProvider {
  const clean = <T>(value: T): T => withoutKey(value, key);
  const cleaned = async <T>(working: Promise<T>): Promise<T> => {
    try {
      return clean(await working);
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      // The client puts the provider's text into its own error, which a log would show.
      const { cause } = error;
      const isEcho = cause instanceof Error && `${cause.message}${cause.stack}`.includes(key);
      throw new ProviderError(clean(error.failure), isEcho ? undefined : cause);
    }
  };
  const cleanSink =
    (sink: ResponseSink): ResponseSink =>
    (head, body) =>
      sink(clean(head), body);
  /** The handle of a call may be a response, and it is stored. */
  const cleanContext = ({ onHandle, ...context }: CallContext): CallContext => ({
    ...context,
    ...(onHandle && { onHandle: (handle) => onHandle(clean(handle)) }),
  });
  const { images, enhancer } = provider;
  const { resume } = images;
  const decode: DecodeResponse = (response, memory) => cleaned(images.decode(response, memory));
  return {
    ...provider,
    images: {
      ...images,
      generate: (call, context, sink) =>
        cleaned(images.generate(call, cleanContext(context), cleanSink(sink))),
      ...(resume && {
        resume: (handle, context, sink) => cleaned(resume(handle, context, cleanSink(sink))),
      }),
      decode,
    },
    enhancer: {
      ...enhancer,
      enhance: (prompt, context) => cleaned(enhancer.enhance(prompt, context)),
    },
    probe: () => cleaned(provider.probe()),
  };
}
