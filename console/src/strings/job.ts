import { job as en } from './en/job.ts';
import { job as zh } from './zh/job.ts';

/** Texts of the job screen, and of the dialogs that other screens share. */
export const job = { en, zh };
