import { gallery as en } from './en/gallery.ts';
import { gallery as zh } from './zh/gallery.ts';

/** Texts of the gallery. */
export const gallery = { en, zh };
