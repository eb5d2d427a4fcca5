import { common as en } from './en/common.ts';
import { common as zh } from './zh/common.ts';

/** Texts that all screens share. */
export const common = { en, zh };
