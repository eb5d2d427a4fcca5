import type { AuditEntry, ManagedKey, Page } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { TableRegion } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';

const shownChanges = 15;

interface Props {
  /** Tenant of the log; empty for the tenant of the key. */
  readonly tenant: string;
  readonly known: readonly ManagedKey[];
  /** Changes with every change of this page, so that the log is read again. */
  readonly version: number;
}

/** The latest entries of the audit log. */
export function RecentChanges({ tenant, known, version }: Props) {
  const t = useText(keys);
  const { api } = useSession();
  const { data, error, refresh } = useLive(
    (signal) => api.call<Page<AuditEntry>>('/audit', { query: { tenant, limit: shownChanges }, signal }),
    [tenant, version],
  );
  const nameOf = (id: string) => known.find((key) => key.id === id)?.name ?? id;
  return (
    <section class="card" aria-labelledby="recent-changes">
      <div class="card-head">
        <h2 id="recent-changes">{t('changes')}</h2>
      </div>
      {error && !data ? <ProblemNote error={error} onRetry={refresh} /> : null}
      {!data && !error ? (
        <div class="card-body">
          <SkeletonLines />
        </div>
      ) : null}
      {data?.data.length === 0 ? <p class="card-body muted">{t('noChanges')}</p> : null}
      {data && data.data.length > 0 ? <Changes entries={data.data} nameOf={nameOf} /> : null}
    </section>
  );
}

function Changes({ entries, nameOf }: { entries: readonly AuditEntry[]; nameOf: (id: string) => string }) {
  const t = useText(keys);
  return (
    <TableRegion label={t('changesTable')}>
      <thead>
        <tr>
          <th scope="col">{t('time')}</th>
          <th scope="col">{t('target')}</th>
          <th scope="col">{t('change')}</th>
          <th scope="col">{t('by')}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map(({ id, at, target, action, fields, actor }) => (
          <tr key={id}>
            <td class="num muted">
              <Time at={at} utc />
            </td>
            <td>{nameOf(target)}</td>
            <td>{t(`action.${action}`, { fields: fields.join(', ') })}</td>
            <td class="muted">{authorOf(actor)}</td>
          </tr>
        ))}
      </tbody>
    </TableRegion>
  );

  function authorOf({ type, key_id: keyId, tenant }: AuditEntry['actor']): string {
    if (type === 'command_line' || keyId === null) return t('commandLine');
    return tenant === 'admin' ? t('operator') : nameOf(keyId);
  }
}
