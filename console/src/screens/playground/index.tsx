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
import type { ScreenProps } from '../../screen-props.ts';
import { common } from '../../strings/common.ts';
import { EmptyResult } from './empty-result.tsx';
import { emptyForm, type Form, isComplete, requestOf, withImage } from './form.ts';
import { FormPane } from './form-pane.tsx';
import { fitToKey, usableModels } from './key-rules.ts';
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
  const { models, presets, recent } = useLists();
  const { form, setForm, forKey, catalogue } = useForm(models.data?.data, presets.data?.data);
  const body = JSON.stringify(requestOf(form));
  const estimate = useEstimate(api, useCan()('images:write') && isComplete(form) ? body : null);
  const named = useAddressForm(query, catalogue, { forKey, setForm });

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
        models={catalogue?.models ?? []}
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

/** Returns the form as the user typed it, with the values that the key requires, and what the form offers. */
function useForm(models: readonly Model[] | undefined, presets: readonly Preset[] | undefined) {
  const { self } = useSession();
  const catalogue = useCatalogue(models, presets);
  const [typed, setForm] = useSessionState<Form>('playground.form', emptyForm);
  const forKey = (form: Form) => (catalogue ? fitToKey(form, self, catalogue) : form);
  return { form: forKey(typed), setForm, forKey, catalogue };
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

/** Returns the catalogue that the key may use, when both lists are loaded. */
function useCatalogue(models: readonly Model[] | undefined, presets: readonly Preset[] | undefined) {
  const { self } = useSession();
  return useMemo(
    (): Catalogue | undefined =>
      models && presets ? { models: usableModels(models, self), presets } : undefined,
    [models, presets, self.models],
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
