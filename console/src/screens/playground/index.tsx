import { useMemo, useState } from 'preact/hooks';
import type { ImageJob, List, Model, Page as PageOf, Preset } from '../../api/types.ts';
import { type Live, useLive } from '../../api/use-live.ts';
import { Note } from '../../components/note.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
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
import { texts } from './texts.ts';
import { useAddressForm } from './use-address-form.ts';
import { useEstimate } from './use-estimate.ts';
import { type Submission, type Submit, useSubmit } from './use-submit.ts';

/** Makes an image and shows its price first. The address names the current job. */
export function Screen({ query }: ScreenProps) {
  const t = useText(common);
  const { api, refreshSelf } = useSession();
  const jobId = query.get('job');
  const [form, setForm] = useSessionState<Form>('playground.form', emptyForm);
  const { models, presets, recent } = useLists();
  const body = useMemo(() => JSON.stringify(requestOf(form)), [form]);
  const estimate = useEstimate(api, useCan()('images:write') && isComplete(form) ? body : null);
  const submit = useSubmit();
  const named = useAddressForm(query, useCatalogue(models.data?.data, presets.data?.data), setForm);

  const follow = (job: ImageJob | null) => {
    if (!job) return;
    changeQuery({ job: job.id, from: undefined, edit: undefined, index: undefined });
    named.clear();
    refreshSelf();
    document.querySelector('.playground-result')?.scrollIntoView({ block: 'start' });
  };
  const [latest, setLatest] = useState<Submission | null>(null);
  const send = async (submission: Submission) => {
    setLatest(submission);
    follow(await submit.submit(submission));
  };

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
        submit={submit}
        top={<SourceNote named={named} />}
        onGenerate={() => void send({ path: '/images', body: JSON.parse(body) as unknown })}
      />
      <div class="page stack stack-lg playground-result">
        <Problems lists={[models, presets]} submit={submit} onRetry={() => latest && void send(latest)} />
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
    (signal) => api.call<PageOf<ImageJob>>('/images', { query: { limit: 12 }, signal }),
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
  submit,
  onRetry,
}: {
  lists: readonly Pick<Live<unknown>, 'error' | 'refresh'>[];
  submit: Submit;
  onRetry: () => void;
}) {
  const t = useText(texts);
  const failed = lists.find(({ error }) => error !== null);
  return (
    <>
      {failed?.error ? <ProblemNote error={failed.error} onRetry={failed.refresh} /> : null}
      {submit.error ? <ProblemNote error={submit.error} isAlert onRetry={onRetry} /> : null}
      {submit.isRepeating ? (
        <Note tone="warning" icon="offline" role="status">
          {t('repeating')}
        </Note>
      ) : null}
    </>
  );
}
