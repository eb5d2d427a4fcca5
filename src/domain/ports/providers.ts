import type { TokenUsage } from '../cost.ts';
import type { Billing, ErrorCode } from '../errors.ts';
import type { InputRole } from '../input-image.ts';
import type { Open } from '../open.ts';

/** Ports to the services that generate images and descriptions. */

/** Parameters of one image, in the provider's own names. */
export interface ImageCall {
  readonly model: string;
  readonly prompt: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Inputs of an edit, in their order. Absent or empty for a generation. */
  readonly inputs?: readonly CallInput[] | undefined;
  /** Whether the model responds with a link to the image, which is fetched within the same call. */
  readonly sendsLinks?: boolean;
}

/** One input of an edit. */
export interface CallInput {
  readonly role: Open<InputRole>;
  readonly index: number;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Opens the bytes; `null` if they are gone. */
  open(): Promise<AsyncIterable<Uint8Array> | null>;
}

/**
 * Fetches the bytes behind a link of a foreign server.
 *
 * @throws Error if the link may not be called, fails, or is larger than `maxBytes`.
 */
export type FetchLink = (
  link: string,
  limits: { readonly signal: AbortSignal; readonly maxBytes: number },
) => Promise<Buffer>;

/** Circumstances of one provider call. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Value of `X-Client-Request-Id`, which connects the provider's log with the ledger. */
  readonly clientRequestId: string;
  readonly traceparent?: string | undefined;
  /** Name of the end user for the provider, without a meaning elsewhere. Absent if the deployment sends none. */
  readonly safetyIdentifier?: string | undefined;
  /**
   * Called with the provider's job id before anything else happens. If it rejects, the call is canceled at the provider.
   */
  readonly onHandle?: ((handle: string) => Promise<void>) | undefined;
  /**
   * Called with each preview of a call that requests `partial_images`, one at a time. Must not reject. The provider may send
   * fewer previews than requested, or none.
   */
  readonly onPartial?: ((partial: PartialImage) => Promise<void>) | undefined;
}

/** A preview of an image that is not finished. */
export interface PartialImage {
  /** Number of the preview, from 0. */
  readonly no: number;
  readonly image: DecodedImage;
}

/** Facts about a response that are known before its body. */
export interface ResponseMeta {
  readonly providerRequestId?: string | undefined;
}

/** Receives the body of a response while it arrives. Resolves when every byte is durable. */
export type ResponseSink = (head: ResponseMeta, body: AsyncIterable<Uint8Array>) => Promise<void>;

/** An image found in a response. `bytes` is decoded and byte-exact. */
export interface DecodedImage {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, hex, computed while they arrived. */
  readonly sha256: string;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
}

/** Reads type and size of an image. Returns `null` if the bytes are no complete image. */
export type DescribeImage = (bytes: Buffer) => Pick<DecodedImage, 'contentType' | 'width' | 'height'> | null;

/** The usage that a response reports. */
export interface Spent {
  /** Usage of the image or the text. `null` if the response does not report it. */
  readonly usage: TokenUsage | null;
  /** The text model that ran the image tool, if one did. Its usage is charged in addition to the image. */
  readonly hostModel?: { readonly model: string; readonly usage: TokenUsage | null } | undefined;
}

/** The content of a response with an image. */
export interface DecodedResponse extends Spent {
  readonly image: DecodedImage;
  readonly revisedPrompt: string | null;
}

/** The reason why a provider call brought no image, classified by its consequences. */
export interface ProviderFailure {
  /**
   * `refused`: provably not accepted, nothing spent, may be repeated later.
   * `stopped`: refused until an operator acts (no credit, wrong key), nothing spent.
   * `final`: the same request will never be accepted (moderation, invalid), nothing spent.
   * `uncertain`: sent, but the outcome is unknown.
   * `damaged`: the response is truncated or its bytes are damaged. It may have been charged.
   * `unusable`: the response is complete, but of a shape without an image. A repetition would bring the same again.
   */
  readonly kind: 'refused' | 'stopped' | 'final' | 'uncertain' | 'damaged' | 'unusable';
  readonly code: ErrorCode;
  readonly billing: Billing;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  /** The usage that a response without an image reports. */
  readonly spent?: Spent | undefined;
  readonly provider?:
    | { status?: number; code?: string; request_id?: string; categories?: string[] }
    | undefined;
}

/** The only error that providers and enhancers throw. */
export class ProviderError extends Error {
  readonly failure: ProviderFailure;

  constructor(failure: ProviderFailure, cause?: unknown) {
    super(failure.message, { cause });
    this.name = 'ProviderError';
    this.failure = failure;
  }
}

/**
 * Finds the image in a response. Free of charge and repeatable.
 *
 * @param memory buffer for the bytes of the image if they fit. The caller must not reuse it before it is done with the
 *   image.
 * @throws ProviderError of kind `damaged`, `unusable`, or any kind that the response itself states.
 */
export type DecodeResponse = (
  response: AsyncIterable<Uint8Array>,
  memory?: Buffer,
) => Promise<DecodedResponse>;

/** A configured image provider. */
export interface ImageProvider {
  /** Name in the registry of providers. Attempts, spooled responses, breaker scopes and metrics carry it. */
  readonly name: string;
  /**
   * Makes exactly one call for exactly one image, without retries. The body goes to `sink` while it arrives. If
   * `call.parameters.partial_images` is above 0, the body is a stream of events, and `context.onPartial` gets the previews.
   *
   * @throws ProviderError. After an abort by `signal` its kind is `uncertain`, unless nothing was sent. A call with a
   * handle continues at the provider if the abort reason is `draining` or `lock_lost`; otherwise it is canceled there.
   */
  generate(call: ImageCall, context: CallContext, sink: ResponseSink): Promise<ResponseMeta>;
  /**
   * Resumes a call by its handle after the death of the worker that made it. Free of charge. Absent if calls have no
   * handles.
   *
   * @throws ProviderError
   */
  resume?(handle: string, context: CallContext, sink: ResponseSink): Promise<ResponseMeta>;
  /** Cancels a call with a handle at the provider. Best effort; only closing the provider waits for it. */
  cancel?(handle: string): void;
  readonly decode: DecodeResponse;
}

/**
 * Returns the decoder of a provider's responses by the provider's name, even if the provider is not configured any more.
 * Returns `undefined` for a provider that this release does not know.
 */
export type FindDecoder = (provider: string) => DecodeResponse | undefined;

/** The reason why a scope takes no call now. */
export interface BlockedScope {
  readonly scope: string;
  /** When the scope takes a call again, in epoch milliseconds. */
  readonly untilMs: number;
  readonly code: ErrorCode;
  /** Set if a probe is in flight that will close or reopen the breaker. */
  readonly isProbed?: true;
}

/** An open circuit breaker. */
export interface OpenBreaker {
  readonly scope: string;
  readonly code: ErrorCode;
  readonly openedAtMs: number;
  /** When a probe may be made. */
  readonly nextProbeAtMs: number;
  /** When the breaker closes without a probe; `null` if only an accepted call or an operator closes it. */
  readonly untilMs: number | null;
  /** Consecutive failures of the scope. */
  readonly failures: number;
}

/**
 * Circuit breaker of provider calls, shared by all workers of a deployment. A scope is an account or a model of a
 * provider. Open blocks calls, half-open lets one probe pass, closed passes all calls.
 */
export interface CircuitBreaker {
  /** Returns the first block of the scopes, `null` if a call may be made. A half-open scope admits the caller as its probe. */
  findBlock(scopes: readonly string[]): Promise<BlockedScope | null>;
  /**
   * Opens the breaker of a scope. A probe may pass after a cooldown that doubles with every failure, at most 30 s.
   *
   * @param options.forMs closes the breaker after this time at the latest. Absent: until a call in the scope is accepted.
   */
  open(scope: string, options: { code: ErrorCode; forMs?: number }): Promise<void>;
  /**
   * Closes the breakers of scopes in which a call was accepted. Breakers that opened after the call started stay open.
   *
   * @returns the scopes whose breakers were closed.
   */
  recordSuccess(scopes: readonly string[], startedAtMs: number): Promise<readonly string[]>;
  /** Closes the breaker of a scope on behalf of an operator. Returns whether it was open. */
  reset(scope: string): Promise<boolean>;
  /** Lists the open breakers, without a change. */
  list(): Promise<OpenBreaker[]>;
}

/** Throttle of tenants whose prompts the moderation of the provider blocks repeatedly, shared by all processes. */
export interface ModerationThrottle {
  /** Counts a block. @returns whether the tenant is throttled from now on. */
  recordBlock(tenant: string): Promise<boolean>;
  /** Returns how long the tenant stays throttled; 0 if it is not. */
  throttledForMs(tenant: string): Promise<number>;
}

/** A text model that writes detailed descriptions. */
export interface PromptEnhancer {
  /** Name of the provider in the registry. */
  readonly provider: string;
  readonly model: string;
  /**
   * Makes one call without retries: turns a short prompt into a detailed description in the same language. Quoted text
   * stays as it is.
   *
   * @throws ProviderError
   */
  enhance(
    prompt: string,
    context: CallContext,
  ): Promise<{ text: string; providerRequestId?: string | undefined; usage: TokenUsage | null }>;
}
