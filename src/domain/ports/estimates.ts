import type { FindSamples, TokenSample } from '../token-samples.ts';

/** Tokens of earlier images, shared by all processes of a deployment. */
export interface TokenSampleStore {
  /** Returns figures that this process read within the last seconds. */
  readonly find: FindSamples;
  /** Remembers the tokens of an image. Never rejects and never waits; a lost sample changes nothing but an estimate. */
  record(kind: string, sample: TokenSample): void;
}
