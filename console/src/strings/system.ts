import { system as en } from './en/system.ts';
import { system as zh } from './zh/system.ts';

/** Texts of the system screen. */
export const system = { en, zh };
