import type { KeyView } from '../../src/domain/key-view.ts';
import { type Caller, createCaller } from './caller.ts';
import { testKeys } from './service-environment.ts';

/** An API key as its creation shows it. */
export type NewKey = KeyView & { readonly key: string };

/** Manages the keys of a service through its API. */
export interface ManagedKeys {
  /** Client with the operator's key. */
  readonly operator: Caller;
  create(body: object, as?: Caller): Promise<NewKey>;
  /** Creates a key with the scope `admin` for a tenant, and returns its client. */
  administrator(tenant: string): Promise<Caller>;
  callerOf(key: Pick<NewKey, 'key'>): Caller;
}

export function manageKeysOf(url: string): ManagedKeys {
  const operator = createCaller(url, testKeys.admin);
  const keys: ManagedKeys = {
    operator,
    create: async (body, as = operator) => (await as.post('/keys').send(body).expect(201)).body,
    administrator: async (tenant) => keys.callerOf(await keys.create({ tenant, scopes: ['admin'] })),
    callerOf: ({ key }) => createCaller(url, key),
  };
  return keys;
}
