import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { ImageList, ImageListQuery, ImageRecords } from '../../domain/ports.ts';
import type { GetImage } from './get-job.ts';

type Query = Omit<ImageListQuery, 'models'> & { readonly model?: string | undefined };

/** Lists a tenant's jobs, newest first; those of a model under whichever of its names they were ordered. */
export function createListImages(deps: {
  records: ImageRecords;
  getImage: Pick<GetImage, 'current'>;
  catalogue: ModelCatalogue;
}) {
  function namesOf(name: string): string[] {
    const model = deps.catalogue.find(name);
    return model ? [model.id, ...model.aliases] : [name];
  }

  return async (tenant: string, { model, ...query }: Query): Promise<ImageList> => {
    const models = model === undefined ? undefined : namesOf(model);
    const page = await deps.records.list(tenant, { ...query, models });
    const jobs = await Promise.all(page.jobs.map(deps.getImage.current));
    // One whose patience was over has another status now.
    return {
      ...page,
      jobs: jobs.filter(({ status }) => query.status === undefined || status === query.status),
    };
  };
}
export type ListImages = ReturnType<typeof createListImages>;
