import { z } from 'zod';

/** Position in a list of jobs: the id of the last job of the page before. Another text would select an arbitrary page. */
export const jobCursor = z
  .string()
  .regex(/^img_[0-9A-Z]{26}$/, 'Invalid cursor. Pass the cursor of the page before unchanged');
