import { z } from 'zod';
import { UploadView } from '../../../domain/upload.ts';
import { pageOf, type SchemaGroup } from '../json-schema.ts';

const UploadForm = z
  .strictObject({
    file: z.string().meta({ format: 'binary' }).describe('PNG, JPEG or WebP of at most 50 MB.'),
  })
  .describe('An upload as a form.');

/** Schemas of uploads. */
export const uploadSchemas: SchemaGroup = {
  requests: { UploadForm },
  responses: { Upload: UploadView, UploadList: pageOf(UploadView) },
};
