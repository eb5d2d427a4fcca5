import { usage as en } from './en/usage.ts';
import { usage as zh } from './zh/usage.ts';

/** Texts of the usage screen. */
export const usage = { en, zh };
