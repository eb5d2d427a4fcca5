import type { ComponentType } from 'preact';
import type { IconName } from './components/icon.tsx';
import type { Need } from './lib/context.ts';
import type { ScreenProps } from './screen-props.ts';

export interface ScreenEntry {
  /** Path below `/console`. A parameter begins with a colon. */
  readonly path: string;
  /** Scope that the key needs. Null for every key. */
  readonly needs: Need | null;
  /** Whether only the key of the operator opens the screen. */
  readonly isForOperator?: boolean;
  /** Entry in the sidebar. A screen without one belongs to another screen, which `within` names. */
  readonly nav?: {
    readonly title: 'playground' | 'gallery' | 'webhooks' | 'keys' | 'usage' | 'system';
    readonly icon: IconName;
    /** Key that opens the screen after `g`. */
    readonly key: string;
  };
  readonly within?: string;
  /** Loads the code of the screen. */
  readonly load: () => Promise<ComponentType<ScreenProps>>;
}

// The browser loads the screens in two parts, which compress better than a file for each screen and small shared ones.
const images = () => import('./screens/images.ts');
const operations = () => import('./screens/operations.ts');

/**
 * Screens in the order of the sidebar. A new screen is one folder below `screens`, one line in `images.ts` or
 * `operations.ts`, and one entry here.
 */
export const screens: readonly ScreenEntry[] = [
  {
    path: '/playground',
    needs: 'images:read',
    nav: { title: 'playground', icon: 'playground', key: 'p' },
    load: async () => (await images()).Playground,
  },
  {
    path: '/gallery',
    needs: 'images:read',
    nav: { title: 'gallery', icon: 'gallery', key: 'g' },
    load: async () => (await images()).Gallery,
  },
  {
    path: '/jobs/:id',
    needs: 'images:read',
    within: '/gallery',
    load: async () => (await images()).Job,
  },
  {
    path: '/webhooks',
    needs: 'webhooks',
    nav: { title: 'webhooks', icon: 'webhooks', key: 'w' },
    load: async () => (await operations()).Webhooks,
  },
  {
    path: '/keys',
    needs: null,
    nav: { title: 'keys', icon: 'keys', key: 'k' },
    load: async () => (await operations()).Keys,
  },
  {
    path: '/usage',
    needs: 'admin',
    nav: { title: 'usage', icon: 'usage', key: 'u' },
    load: async () => (await operations()).Usage,
  },
  {
    path: '/system',
    needs: 'admin',
    isForOperator: true,
    nav: { title: 'system', icon: 'system', key: 's' },
    load: async () => (await operations()).System,
  },
];
