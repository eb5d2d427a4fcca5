import { createUploadRoute } from './create-upload.ts';
import { deleteUploadRoute } from './delete-upload.ts';
import { getUploadRoute } from './get-upload.ts';
import { getUploadContentRoute } from './get-upload-content.ts';
import { listUploadsRoute } from './list-uploads.ts';

/** Routes of uploads. */
export const uploadRoutes = [
  createUploadRoute,
  listUploadsRoute,
  getUploadRoute,
  getUploadContentRoute,
  deleteUploadRoute,
] as const;
