import type { ModelCatalogue } from '../domain/model-catalogue.ts';
import type { ImageList, ImageListQuery, ImageRecords } from '../domain/ports.ts';

type Query = Omit<ImageListQuery, 'models'> & { readonly model?: string | undefined };

/** Lists a tenant's jobs, newest first; those of a model under whichever of its names they were ordered. */
export function createListImages(deps: { records: ImageRecords; catalogue: ModelCatalogue }) {
  function namesOf(name: string): string[] {
    const model = deps.catalogue.find(name);
    return model ? [model.id, ...model.aliases] : [name];
  }

  return (tenant: string, { model, ...query }: Query): Promise<ImageList> =>
    deps.records.list(tenant, { ...query, models: model === undefined ? undefined : namesOf(model) });
}
export type ListImages = ReturnType<typeof createListImages>;
