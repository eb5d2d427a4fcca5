import { defineVariable, truth, whole } from '../../lib/variable.ts';

const section = 'Inputs';

/** Variables of input images and uploads. */
export const inputs = {
  UPLOAD_TTL_S: defineVariable({
    section,
    schema: whole(60, 31_536_000),
    fallback: '86400',
    about: 'Lifetime of an upload, in seconds. Jobs copy the uploads that they use.',
  }),
  MAX_UPLOAD_BYTES: defineVariable({
    section,
    schema: whole(1, 1e15),
    fallback: '10737418240',
    about: 'Maximum size of all uploads of one tenant together, in bytes.',
  }),
  MAX_UPLOADS: defineVariable({
    section,
    schema: whole(1, 1e9),
    fallback: '100000',
    about: 'Maximum number of uploads of one tenant.',
  }),
  INPUT_ALLOW_PRIVATE: defineVariable({
    section,
    schema: truth,
    fallback: 'false',
    about:
      'Whether URLs of input images may lead to private addresses and use plain http. For development. Independent of WEBHOOK_ALLOW_PRIVATE.',
  }),
};
