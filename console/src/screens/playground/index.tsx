import { useMemo } from 'preact/hooks';
import type { ImageJob, List, Model, Page as PageOf, Preset } from '../../api/types.ts';
import { useEstimate } from '../../api/use-estimate.ts';
import { type Live, useLive } from '../../api/use-live.ts';
import { type Submitting, useSubmission } from '../../api/use-submission.ts';
import { Page } from '../../components/page.tsx';
import { ProblemNote, RepeatingNote } from '../../components/problem.tsx';
import { useCan, useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useSessionState } from '../../lib/session-state.ts';
import { useText } from '../../lib/settings.ts';
import type { ScreenProps } from '../../screens.ts';
import { common } from '../../strings/common.ts';
import { EmptyResult } from './empty-result.tsx';
import { emptyForm, type Form, isComplete, requestOf, withImage } from './form.ts';
import { FormPane } from './form-pane.tsx';
import { Recent } from './recent.tsx';
import { RequestCard } from './request-card.tsx';
import { JobResult } from './result.tsx';
import type { Catalogue } from './reuse.ts';
import { SourceNote } from './source-note.tsx';
import { useAddressForm } from './use-address-form.ts';

/** Makes an image and shows its price first. The address names the current job. */
export function Screen({ query }: ScreenProps) {
  const t = useText(common);
  const { api } = useSession();
  const jobId = query.get('job');
  const [form, setForm] = useSessionState<Form>('playground.form', emptyForm);
  const { models, presets, recent } = useLists();
  const body = useMemo(() => JSON.stringify(requestOf(form)), [form]);
  const estimate = useEstimate(api, useCan()('images:write') && isComplete(form) ? body : null);
  const named = useAddressForm(query, useCatalogue(models.data?.data, presets.data?.data), setForm);

  const follow = (job: ImageJob) => {
    changeQuery({ job: job.id, from: undefined, edit: undefined, index: undefined });
    named.clear();
    document.querySelector('.playground-result')?.scrollIntoView({ block: 'start' });
  };
  const submitting = useSubmission('playground', follow);
  const generate = () => submitting.submit({ path: '/images', body: JSON.parse(body) as unknown });

  return (
    <Page title={t('nav.playground')} layout="split-form">
      <FormPane
        form={form}
        change={(changes) =>
          setForm((before) => ({ ...before, ...(typeof changes === 'function' ? changes(before) : changes) }))
        }
        models={models.data?.data ?? []}
        presets={presets.data?.data ?? []}
        estimate={estimate}
        submitting={submitting}
        top={<SourceNote named={named} />}
        body={body}
        onGenerate={generate}
      />
      <div class="page stack stack-lg playground-result">
        <Problems lists={[models, presets]} submitting={submitting} />
        {jobId ? (
          <JobResult
            key={jobId}
            jobId={jobId}
            onEdit={(image, id) => setForm((before) => withImage(before, id, image))}
            onFollow={follow}
            onEnd={recent.refresh}
          />
        ) : (
          <EmptyResult
            presets={presets.data?.data ?? []}
            onChoose={(prompt, preset) => setForm((before) => ({ ...before, prompt, preset, variables: {} }))}
          />
        )}
        <Recent jobs={recent.data?.data} />
        <RequestCard body={JSON.parse(body) as Record<string, unknown>} />
      </div>
    </Page>
  );
}

/** Loads the models, the presets and the latest jobs. */
function useLists() {
  const { api } = useSession();
  const models = useLive((signal) => api.call<List<Model>>('/models', { signal }), [api]);
  const presets = useLive((signal) => api.call<List<Preset>>('/presets', { signal }), [api]);
  const recent = useLive(
    (signal) => api.call<PageOf<ImageJob>>('/images', { query: { status: 'succeeded', limit: 9 }, signal }),
    [api],
  );
  return { models, presets, recent };
}

/** Returns the catalogue when both lists are loaded. */
function useCatalogue(models: readonly Model[] | undefined, presets: readonly Preset[] | undefined) {
  return useMemo(
    (): Catalogue | undefined => (models && presets ? { models, presets } : undefined),
    [models, presets],
  );
}

function Problems({
  lists,
  submitting: { error, isRepeating, retry },
}: {
  lists: readonly Pick<Live<unknown>, 'error' | 'refresh'>[];
  submitting: Submitting;
}) {
  const failed = lists.find(({ error }) => error !== null);
  return (
    <>
      {failed?.error ? <ProblemNote error={failed.error} onRetry={failed.refresh} /> : null}
      {error ? <ProblemNote error={error} isAlert onRetry={retry} /> : null}
      {isRepeating ? <RepeatingNote /> : null}
    </>
  );
}
