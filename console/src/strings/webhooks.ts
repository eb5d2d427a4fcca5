import { webhooks as en } from './en/webhooks.ts';
import { webhooks as zh } from './zh/webhooks.ts';

/** Texts of the screen of webhooks. */
export const webhooks = { en, zh };
