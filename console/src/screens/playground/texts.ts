import { playground as en } from '../../strings/en/playground.ts';
import { playground as zh } from '../../strings/zh/playground.ts';

/** Texts of the playground. */
export const texts = { en, zh };
