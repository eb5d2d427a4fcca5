import { useSession } from '../lib/context.ts';
import { asApiError } from './use-live.ts';
import { useRepetition } from './use-repetition.ts';

interface Kind<New> {
  /** Path of the collection. */
  readonly path: string;
  /** Field that only the first response contains. */
  readonly secret: keyof New;
  /** Last part of the path that replaces the secret. */
  readonly rotate: string;
}

/**
 * Returns a function that creates something with a secret. A repeated request creates nothing twice. If its first response was
 * lost, the secret is replaced, because nothing can know the first one.
 */
export function useCreation<New extends { readonly id: string }>({ path, secret, rotate }: Kind<New>) {
  const { api } = useSession();
  const repetition = useRepetition();
  return async (body: object): Promise<New> => {
    try {
      const created = await api.call<New>(path, { body, idempotencyKey: repetition.key() });
      const shown =
        created[secret] === undefined
          ? await api.call<New>(`${path}/${created.id}/${rotate}`, { body: { grace_s: 0 } })
          : created;
      repetition.succeeded();
      return shown;
    } catch (error) {
      repetition.failed(asApiError(error));
      throw error;
    }
  };
}
