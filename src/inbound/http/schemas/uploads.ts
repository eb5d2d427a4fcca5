import { UploadView } from '../../../domain/upload.ts';
import { pageOf, type SchemaGroup } from '../json-schema.ts';

/** Schemas of uploads. */
export const uploadSchemas: SchemaGroup = {
  responses: { Upload: UploadView, UploadList: pageOf(UploadView) },
};
