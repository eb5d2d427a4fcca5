import { Money } from '../../components/money.tsx';
import { TableRegion } from '../../components/table.tsx';
import { useSettings, useText } from '../../lib/settings.ts';
import { usage } from '../../strings/usage.ts';
import type { UsageGroup, UsageReport } from './usage-data.ts';

/** The sums of each group, and the total. It is the text version of the bars. */
export function UsageTable(props: {
  report: UsageReport;
  heading: string;
  /** Names of keys by id, which are shown beside the ids. */
  keyNames: ReadonlyMap<string, string>;
}) {
  const { report, heading, keyNames } = props;
  const t = useText(usage);
  const columns = ['jobs', 'images', 'failed', 'possible', 'unknown', 'cost'] as const;
  return (
    <section class="card" aria-labelledby="usage-table">
      <div class="card-head">
        <h2 id="usage-table">{t('tableOf', { dimension: heading })}</h2>
      </div>
      <TableRegion label={t('table')}>
        <thead>
          <tr>
            <th scope="col">{heading}</th>
            {columns.map((column) => (
              <th scope="col" class="end" key={column}>
                {t(`column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.groups.map((group) => (
            <tr key={`${group.name} ${group.isSimulated}`}>
              <td>
                <span class="row">
                  <span class="dot" data-series={report.seriesOf(group) ?? undefined} />
                  <GroupName name={group.name} keyName={keyNames.get(group.name ?? '')} />
                </span>
              </td>
              <Cells group={group} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td>{t('total')}</td>
            <Cells group={report.total} />
          </tr>
        </tfoot>
      </TableRegion>
      {report.simulated ? (
        <p class="card-foot faint">{t('simulatedLeftOut', { count: report.simulated.jobs })}</p>
      ) : null}
    </section>
  );
}

function GroupName({ name, keyName }: { name: string | null; keyName: string | undefined }) {
  const t = useText(usage);
  if (name === null) return <span class="faint">{t('noValue')}</span>;
  if (!keyName) return <>{name}</>;
  return (
    <>
      {keyName} <span class="faint mono">{name}</span>
    </>
  );
}

function Cells({ group }: { group: UsageGroup }) {
  const { language } = useSettings().settings;
  const count = (value: number) => new Intl.NumberFormat(language).format(value);
  const { isSimulated, unknown_cost_jobs: unknown } = group;
  return (
    <>
      <td class="end num">{count(group.jobs)}</td>
      <td class="end num">{count(group.images)}</td>
      <td class="end num">{count(group.failed)}</td>
      <td class="end">
        <Money microUsd={group.micro_usd_possible} isSimulated={isSimulated} />
      </td>
      <td class="end num">{unknown > 0 ? <span class="money-unknown">{count(unknown)}</span> : 0}</td>
      <td class="end strong">
        <Money microUsd={group.micro_usd} isSimulated={isSimulated} />
      </td>
    </>
  );
}
