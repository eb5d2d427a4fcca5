import type { PathParams } from './lib/match-path.ts';

/** Properties of every screen. */
export interface ScreenProps {
  /** Parameters of the path, such as `id` of `/jobs/:id`. */
  readonly params: PathParams;
  readonly query: URLSearchParams;
}
