import { keys as en } from './en/keys.ts';
import { keys as zh } from './zh/keys.ts';

/** Texts of the screen of keys and budgets. */
export const keys = { en, zh };
