import type { ApiKeyRecord } from '../../domain/api-key.ts';
import type { ApiKeys, Clock, Signals } from '../../domain/ports.ts';
import { createAuthenticate } from './authenticate.ts';
import { createManageKeys } from './manage-keys.ts';

/** Everything that the verbs of access need. */
export interface AccessDeps {
  readonly apiKeys: ApiKeys;
  readonly signals: Pick<Signals, 'onKeyChange'>;
  /** Keys from the configuration, by digest. */
  readonly bootstrapKeys: ReadonlyMap<string, ApiKeyRecord>;
  readonly createKeyText: () => { id: string; key: string };
  /** SHA-256, hex. */
  readonly digest: (text: string) => string;
  /** Compares two digests in constant time. */
  readonly sameDigest: (a: string, b: string) => boolean;
  /** Returns the id inside a key, or `null` if form or checksum are wrong. */
  readonly keyIdOf: (key: string) => string | null;
  readonly clock: Clock;
}

/** Builds the verbs of API keys. */
export function createAccess(deps: AccessDeps) {
  const { apiKeys, signals, bootstrapKeys, createKeyText, digest, sameDigest, keyIdOf, clock } = deps;
  return {
    authenticate: createAuthenticate({
      apiKeys,
      signals,
      bootstrapKeys,
      digest,
      sameDigest,
      keyIdOf,
      clock,
    }),
    manageKeys: createManageKeys({ apiKeys, createKeyText, digest, clock }),
  };
}
export type Access = ReturnType<typeof createAccess>;
