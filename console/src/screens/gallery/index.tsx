import type { ImageJob } from '../../api/types.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { ConnectionNote } from '../../components/connection-note.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { Delayed, EmptyState } from '../../components/state.tsx';
import { href } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import type { ScreenProps } from '../../screen-props.ts';
import { gallery } from '../../strings/gallery.ts';
import { EraseDialog } from '../job/erase-dialog.tsx';
import { Compare } from './compare.tsx';
import { FilterBar } from './filter-bar.tsx';
import { type Filters, hasFilters } from './filters.ts';
import { Grid } from './grid.tsx';
import { Inspector } from './inspector.tsx';
import { SelectionBar } from './selection-bar.tsx';
import { useGallery } from './use-gallery.ts';
import type { Jobs } from './use-jobs.ts';

/** The gallery: jobs with their images, failures and costs. */
export function Screen({ query }: ScreenProps) {
  const t = useText(gallery);
  const { filters, jobs, selectedId, selected, chosen, dialog, setDialog, select, ...state } =
    useGallery(query);
  return (
    <Page title={t('title')} layout="split">
      <div class="page">
        <FilterBar filters={filters} />
        <ConnectionNote />
        <Content jobs={jobs} filters={filters}>
          <Grid
            jobs={jobs}
            marked={state.marked}
            selected={selectedId}
            onSelect={select}
            onMark={state.mark}
            linesRef={state.lines}
          />
        </Content>
        <SelectionBar
          jobs={chosen}
          onCompare={() => setDialog('compare')}
          onErase={() => setDialog('erase')}
          onClear={state.clear}
        />
      </div>
      <Inspector job={selected} onClose={() => select(null)} />
      <Dialogs
        shown={dialog}
        compared={chosen}
        erasing={state.erasing}
        onErased={state.onErased}
        onClose={() => setDialog(null)}
      />
    </Page>
  );
}

function Dialogs(props: {
  shown: 'compare' | 'erase' | null;
  compared: readonly ImageJob[];
  erasing: readonly ImageJob[];
  onErased: (ids: ReadonlySet<string>) => void;
  onClose: () => void;
}) {
  const { shown, compared, erasing, onErased, onClose } = props;
  if (shown === 'compare') return <Compare jobs={compared} onClose={onClose} />;
  return shown === 'erase' ? <EraseDialog jobs={erasing} onErased={onErased} onClose={onClose} /> : null;
}

/** The list with its states: loading, empty, failed. */
function Content(props: { jobs: Jobs; filters: Filters; children: preact.ComponentChildren }) {
  const { jobs, filters, children } = props;
  const t = useText(gallery);
  const { list, isReady, error } = jobs;
  if (!isReady && error) {
    const action = hasFilters(filters) ? <ClearFilters /> : undefined;
    return <ProblemNote error={error} onRetry={jobs.retry} action={action} />;
  }
  if (!isReady) return <Skeleton />;
  if (list.jobs.length === 0 && list.waiting.length === 0 && !list.cursor) return <Empty filters={filters} />;
  return (
    <>
      {list.waiting.length > 0 ? (
        <div class="new-jobs">
          <Button
            size="sm"
            onClick={() => {
              jobs.showWaiting();
              scrollTo({ top: 0 });
            }}
          >
            {t('newJobs', { count: list.waiting.length })}
          </Button>
        </div>
      ) : null}
      {children}
      {error ? <ProblemNote error={error} onRetry={jobs.retry} /> : null}
      {list.cursor === null && list.jobs.length > 12 ? <p class="faint gallery-end">{t('end')}</p> : null}
    </>
  );
}

function Empty({ filters }: { filters: Filters }) {
  const t = useText(gallery);
  if (hasFilters(filters)) {
    return (
      <EmptyState icon="gallery" title={t('noMatch.title')} text={t('noMatch.text')}>
        <ClearFilters />
      </EmptyState>
    );
  }
  return (
    <EmptyState icon="gallery" title={t('empty.title')} text={t('empty.text')}>
      <a class={buttonClass({ kind: 'primary' })} href={href('/playground')}>
        {t('empty.playground')}
      </a>
      <a class={buttonClass({})} href="/docs">
        {t('empty.docs')}
      </a>
    </EmptyState>
  );
}

function ClearFilters() {
  const t = useText(gallery);
  return (
    <a class={buttonClass({ size: 'sm' })} href={href('/gallery')}>
      {t('noMatch.clear')}
    </a>
  );
}

/** Empty frames in the shape of the first rows. */
function Skeleton() {
  return (
    <Delayed>
      <ul class="gallery gallery-skeleton" aria-busy="true">
        {Array.from({ length: 12 }, (_, i) => (
          <li key={i} class="tile" data-ratio={['wide', 'square', 'tall', 'square'][i % 4]}>
            <span class="frame skeleton" />
            <span class="skeleton line-skeleton" />
            <span class="skeleton line-skeleton line-short" />
          </li>
        ))}
      </ul>
    </Delayed>
  );
}
