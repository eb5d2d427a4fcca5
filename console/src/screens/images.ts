/**
 * Screens that create images and show them, in one file for the browser: they share most of their code, and people move
 * between them all the time.
 */
import '../shared.ts';

export { Screen as Gallery } from './gallery/index.tsx';
export { Screen as Job } from './job/index.tsx';
export { Screen as Playground } from './playground/index.tsx';
