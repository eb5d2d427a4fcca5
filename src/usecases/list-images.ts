import type { ImageList, ImageListQuery, ImageRecords } from '../domain/ports.ts';

/** Lists a tenant's jobs, newest first. */
export function createListImages(deps: { records: ImageRecords }) {
  return (tenant: string, query: ImageListQuery): Promise<ImageList> => deps.records.list(tenant, query);
}
export type ListImages = ReturnType<typeof createListImages>;
