/** Screens of keys, deliveries, costs and the state of the service, in one file for the browser. */
import '../shared.ts';

export { Screen as Keys } from './keys/index.tsx';
export { Screen as System } from './system/index.tsx';
export { Screen as Usage } from './usage/index.tsx';
export { Screen as Webhooks } from './webhooks/index.tsx';
