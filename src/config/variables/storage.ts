import { z } from 'zod';
import { defineVariable } from '../../lib/variable.ts';
import { storageNames, storageSection, storageVariables } from '../../outbound/storage/registry.ts';

/** Variables of the storage. Each storage declares its own. */
export const storage = {
  STORAGE: defineVariable({
    section: storageSection,
    schema: z.enum(storageNames),
    fallback: 'filesystem',
    about: 'Storage of the images.',
  }),
  ...storageVariables,
};
