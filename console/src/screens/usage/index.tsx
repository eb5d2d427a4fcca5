import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../../api/api-error.ts';
import type { List, UsageRow } from '../../api/types.ts';
import { asApiError, useLive } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Money } from '../../components/money.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { EmptyState, SkeletonLines } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import type { ScreenProps } from '../../screen-props.ts';
import { usage } from '../../strings/usage.ts';
import { Filters } from './filters.tsx';
import { apiQuery, dimensionOf, periodOf, queryOf } from './query.ts';
import { UsageChart } from './usage-chart.tsx';
import { reportOf, type UsageReport } from './usage-data.ts';
import { UsageTable } from './usage-table.tsx';
import { useKeyNames } from './use-key-names.ts';

/** Shows the costs and their owners: statistics, bars by UTC day, and a table with totals. */
export function Screen({ query: address }: ScreenProps) {
  const t = useText(usage);
  const { api } = useSession();
  const [csvError, setCsvError] = useState<ApiError | null>(null);
  const query = queryOf(address);
  const dimension = dimensionOf(query);
  const period = periodOf(query.range, Date.now());
  const wanted = apiQuery(query, dimension ?? 'model', period);
  // The report remains with its own grouping while the rows of the next one load, or if they fail to load.
  const live = useLive(
    async (signal) => {
      const { data } = await api.call<List<UsageRow>>('/usage', { query: wanted, signal });
      const report = reportOf(data, { dimension: dimension ?? 'model', days: period.days });
      return { report, kind: dimension === null ? 'model' : query.kind, metadataKey: query.metadataKey };
    },
    [api, JSON.stringify(wanted)],
  );
  const { report, kind = 'model', metadataKey = '' } = live.data ?? {};
  const keyNames = useKeyNames(kind === 'key', query.tenant);
  return (
    <Page title={t('title')} actions={<CsvButton query={wanted} onError={setCsvError} />}>
      <Filters query={query} onChange={changeQuery} />
      {live.error ? <ProblemNote error={live.error} onRetry={live.refresh} /> : null}
      {csvError ? <ProblemNote error={csvError} isAlert /> : null}
      {report ? (
        <div class="stack stack-lg" aria-busy={live.isLoading}>
          <Statistics report={report} />
          <section class="card" aria-labelledby="usage-chart">
            <div class="card-head">
              <h2 id="usage-chart">{t('costByDay')}</h2>
            </div>
            <UsageChart
              report={report}
              nameOf={({ no, name }) =>
                no === 0 ? t('rest') : name === null ? t('noValue') : (keyNames.get(name) ?? name)
              }
            />
          </section>
          {report.groups.length === 0 ? (
            <EmptyState icon="usage" title={t('emptyTitle')} text={t('emptyText')} />
          ) : (
            <UsageTable
              report={report}
              heading={kind === 'metadata' ? metadataKey : t(`by.${kind}`)}
              keyNames={keyNames}
            />
          )}
        </div>
      ) : live.error ? null : (
        <SkeletonLines count={8} />
      )}
    </Page>
  );
}

/** Saves the rows of the page as CSV, with the same period and grouping. */
function CsvButton(props: { query: ReturnType<typeof apiQuery>; onError: (error: ApiError | null) => void }) {
  const { query, onError } = props;
  const t = useText(usage);
  const { api } = useSession();
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    onError(null);
    try {
      const response = await api.open('/usage', { query, headers: { accept: 'text/csv' } });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await response.blob());
      link.download = `usage-${query.from}-${query.to}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      onError(asApiError(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="sm" icon="download" isBusy={isBusy} onClick={() => void save()}>
      {t('csv')}
    </Button>
  );
}

function Statistics({ report }: { report: UsageReport }) {
  const t = useText(usage);
  const { language } = useSettings().settings;
  const { total, days } = report;
  const count = (value: number) => new Intl.NumberFormat(language).format(value);
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const { isSimulated } = total;
  return (
    <dl class="card stats">
      <Statistic name={t(isSimulated ? 'spentSimulated' : 'spent')} note={t('days', { count: days.length })}>
        <Money microUsd={total.micro_usd} isSimulated={isSimulated} />
      </Statistic>
      <Statistic name={t('possible')}>
        <Money microUsd={total.micro_usd_possible} isSimulated={isSimulated} />
      </Statistic>
      <Statistic name={t('unknown')} note={t('notInTotals')}>
        {t('jobs', { count: total.unknown_cost_jobs })}
      </Statistic>
      <Statistic name={t('images')} note={t('jobs', { count: total.jobs })}>
        {count(total.images)}
      </Statistic>
      <Statistic name={t('failed')} note={t('jobs', { count: total.failed })}>
        {share.format(total.jobs === 0 ? 0 : total.failed / total.jobs)}
      </Statistic>
    </dl>
  );
}

function Statistic(props: { name: string; note?: string; children: ComponentChildren }) {
  return (
    <div class="stat">
      <dt>{props.name}</dt>
      <dd>
        {props.children} {props.note ? <span class="faint">{props.note}</span> : null}
      </dd>
    </div>
  );
}
