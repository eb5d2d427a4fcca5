import type { TokenUsage } from '../cost.ts';
import type { Billing, ErrorCode } from '../errors.ts';

/** Who makes images and descriptions. */

/** Parameters of one image, in the provider's own names. */
export interface ImageCall {
  readonly model: string;
  readonly prompt: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface CallContext {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Sent as X-Client-Request-Id, so that provider and ledger can be compared. */
  readonly clientRequestId: string;
  readonly traceparent?: string | undefined;
  /**
   * Hears the handle of a call as soon as there is one; nothing else happens before it resolves. A rejection has the
   * call given up at the provider.
   */
  readonly onHandle?: ((handle: string) => Promise<void>) | undefined;
}

/** What is known of an answer before its body. */
export interface ResponseMeta {
  readonly providerRequestId?: string | undefined;
}

/** Takes the body of an answer as it arrives; resolves when every byte is safe. */
export type ResponseSink = (head: ResponseMeta, body: AsyncIterable<Uint8Array>) => Promise<void>;

/** An image found in an answer. `bytes` is decoded and byte-exact. */
export interface DecodedImage {
  readonly bytes: Buffer;
  /** Of the bytes, hex; taken while they arrived. */
  readonly sha256: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
}

/** What an answer says it used. */
export interface Spent {
  /** Of the image or the text itself; `null` when the answer does not say. */
  readonly usage: TokenUsage | null;
  /** The language model that carried the call, where one did; what it used is charged beside the image. */
  readonly hostModel?: { readonly model: string; readonly usage: TokenUsage | null } | undefined;
}

export interface DecodedResponse extends Spent {
  readonly image: DecodedImage;
  readonly revisedPrompt: string | null;
}

/** Why a provider call brought nothing, told apart by what follows from it. */
export interface ProviderFailure {
  /**
   * `refused`: proved not accepted, nothing spent, may be asked again later.
   * `stopped`: refused until a person acts (no credit, wrong key); nothing spent.
   * `final`: the same request will never be accepted (moderation, invalid); nothing spent.
   * `uncertain`: sent, but the outcome is unknown.
   * `unusable`: answered, and possibly charged, but without an image.
   */
  readonly kind: 'refused' | 'stopped' | 'final' | 'uncertain' | 'unusable';
  readonly code: ErrorCode;
  readonly billing: Billing;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  /** What an unusable answer says it used. */
  readonly spent?: Spent | undefined;
  readonly provider?:
    | { status?: number; code?: string; request_id?: string; categories?: string[] }
    | undefined;
}

/** Thrown by providers and enhancers, and by nothing else. */
export class ProviderError extends Error {
  readonly failure: ProviderFailure;

  constructor(failure: ProviderFailure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'ProviderError';
    this.failure = failure;
  }
}

export interface ImageProvider {
  readonly name: 'openai' | 'studio';
  /**
   * Makes exactly one call for exactly one image: no retries of any kind. The body goes to `sink` as it arrives.
   *
   * @throws ProviderError; after an abort by `signal` one of kind `uncertain`, unless nothing was sent. A call with a
   * handle goes on at the provider when the reason is `draining` or `lock_lost`, and is stopped there otherwise.
   */
  generate(call: ImageCall, context: CallContext, sink: ResponseSink): Promise<ResponseMeta>;
  /**
   * Takes up a call by its handle, after a death of whoever made it. Costs nothing. Only where calls have handles.
   *
   * @throws ProviderError
   */
  resume?(handle: string, context: CallContext, sink: ResponseSink): Promise<ResponseMeta>;
  /**
   * Asks the provider to stop a call that has a handle. Best effort: nobody waits for it but whoever closes the provider.
   */
  cancel?(handle: string): void;
  /**
   * Finds the image in a spooled answer. Free: may be repeated.
   *
   * @param memory holds the bytes of the image where they fit into it; it must serve nothing else until they are done
   *   with.
   * @throws ProviderError of kind `unusable` when there is none.
   */
  decode(response: AsyncIterable<Uint8Array>, memory?: Buffer): Promise<DecodedResponse>;
}

/** Why a lane takes no call for now. */
export interface BlockedScope {
  readonly untilMs: number;
  readonly code: ErrorCode;
  /** A call is under way that will tell whether the lane works again. */
  readonly isProbed?: true;
}

/**
 * What keeps calls from being made at all: an account without credit, or a lane that the provider asked to rest. Shared
 * by all workers of a deployment.
 */
export interface CircuitBreaker {
  /** Why and until when a call in one of these lanes must wait; `null` when it may be made. */
  findBlock(scopes: readonly string[]): Promise<BlockedScope | null>;
  /** Closes a lane until a moment. */
  close(scope: string, options: { untilMs: number; code: ErrorCode }): Promise<void>;
  /**
   * Closes a lane until a call in it is accepted: after a rest that doubles with every refusal a single call tries, the
   * others go on waiting.
   */
  suspect(scope: string, code: ErrorCode): Promise<void>;
  /** Why a lane is suspect; `null` when it is not. Changes nothing. */
  failureOf(scope: string): Promise<ErrorCode | null>;
  /** Opens a lane after a call in it was accepted. */
  open(scope: string): Promise<void>;
}

export interface PromptEnhancer {
  readonly model: string;
  /**
   * One call, no retries: turns a short prompt into a detailed description in the same language, quoted text kept.
   *
   * @throws ProviderError
   */
  enhance(
    prompt: string,
    context: CallContext,
  ): Promise<{ text: string; providerRequestId?: string | undefined; usage: TokenUsage | null }>;
}
