import type { ModelCatalogue } from '../../domain/model-catalogue.ts';
import type { JobList, JobListQuery, JobStore } from '../../domain/ports.ts';
import type { GetJob } from './get-job.ts';

type Query = Omit<JobListQuery, 'models'> & { readonly model?: string | undefined };

/** Lists a tenant's jobs, newest first. A model filter matches the model id and all of its aliases. */
export function createListJobs(deps: {
  records: JobStore;
  getJob: Pick<GetJob, 'current'>;
  catalogue: ModelCatalogue;
}) {
  function namesOf(name: string): string[] {
    const model = deps.catalogue.find(name);
    return model ? [model.id, ...model.aliases] : [name];
  }

  return async (tenant: string, { model, ...query }: Query): Promise<JobList> => {
    const models = model === undefined ? undefined : namesOf(model);
    const page = await deps.records.list(tenant, { ...query, models });
    const jobs = await Promise.all(page.jobs.map(deps.getJob.current));
    // The status is checked again, because reading a queued job past its queue TTL expires the job.
    return {
      ...page,
      jobs: jobs.filter(({ status }) => query.status === undefined || status === query.status),
    };
  };
}
export type ListJobs = ReturnType<typeof createListJobs>;
