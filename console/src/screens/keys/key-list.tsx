import type { ComponentChildren } from 'preact';
import type { ManagedKey } from '../../api/types.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { EmptyState, SkeletonLines } from '../../components/state.tsx';
import { TableRegion } from '../../components/table.tsx';
import { formatRelative } from '../../format/relative.ts';
import { useSession } from '../../lib/context.ts';
import { changeQuery, href } from '../../lib/router.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import { BarLegend, TightestBudget } from './budgets.tsx';

interface Props {
  /** Undefined until they are loaded. */
  readonly list: readonly ManagedKey[] | undefined;
  readonly hasMore: boolean;
  readonly onMore: () => void;
  readonly selectedId: string | null;
  readonly query: URLSearchParams;
}

/** The keys with their tightest budgets. */
export function KeyList({ list, hasMore, onMore, selectedId, query }: Props) {
  const t = useText(keys);
  const showsRevoked = query.get('revoked') === '1';
  const shown = list?.filter((key) => showsRevoked || key.revoked_at === null || key.id === selectedId);
  return (
    <section class="card" aria-labelledby="key-list">
      <div class="card-head">
        <h2 id="key-list">{t('list')}</h2>
        <BarLegend />
      </div>
      {shown === undefined ? (
        <div class="card-body">
          <SkeletonLines count={5} />
        </div>
      ) : shown.length === 0 ? (
        <EmptyState icon="keys" title={t('empty.title')} text={t('empty.text')} />
      ) : (
        <Rows list={shown} selectedId={selectedId} query={query} />
      )}
      <div class="card-foot row row-between">
        <label class="row faint">
          <input
            type="checkbox"
            checked={showsRevoked}
            onChange={() => changeQuery({ revoked: showsRevoked ? undefined : '1' }, { replace: true })}
          />
          {t('showRevoked')}
        </label>
        {hasMore ? (
          <Button size="sm" onClick={onMore}>
            {t('more')}
          </Button>
        ) : null}
      </div>
    </section>
  );
}

function Rows(props: { list: readonly ManagedKey[]; selectedId: string | null; query: URLSearchParams }) {
  const t = useText(keys);
  const { self } = useSession();
  return (
    <TableRegion label={t('listTable')}>
      <thead>
        <tr>
          <th scope="col">{t('name')}</th>
          {self.operator ? <th scope="col">{t('tenant')}</th> : null}
          <th scope="col" class="wide-only">
            {t('scopes')}
          </th>
          <th scope="col">{t('tightest')}</th>
          <th scope="col" class="end wide-only">
            {t('lastUsed')}
          </th>
        </tr>
      </thead>
      <tbody>
        {props.list.map((key) => (
          <Row key={key.id} apiKey={key} isSelected={key.id === props.selectedId} query={props.query} />
        ))}
      </tbody>
    </TableRegion>
  );
}

function Row({
  apiKey,
  isSelected,
  query,
}: {
  apiKey: ManagedKey;
  isSelected: boolean;
  query: URLSearchParams;
}) {
  const t = useText(keys);
  const { language } = useSettings().settings;
  const { self } = useSession();
  const { id, name, scopes, spending, last_used_at: lastUsedAt } = apiKey;
  return (
    <tr data-selected={isSelected || undefined}>
      <td>
        <a
          class="strong truncate name-cell row-link"
          title={name}
          href={href('/keys', { ...Object.fromEntries(query), key: id })}
          aria-current={isSelected || undefined}
        >
          {name}
        </a>
        <span class="faint mono">{id}</span>
      </td>
      {self.operator ? <td class="muted">{apiKey.tenant}</td> : null}
      <td class="muted wide-only">{scopes.join(', ')}</td>
      <td class="budget-cell">
        <KeyState apiKey={apiKey}>
          <TightestBudget name={name} spending={spending} />
        </KeyState>
      </td>
      <td class="end num muted wide-only">
        {lastUsedAt ? formatRelative(lastUsedAt, Date.now(), language) : t('never')}
      </td>
    </tr>
  );
}

/** The state of a key that is not valid, or its children. */
export function KeyState({ apiKey, children }: { apiKey: ManagedKey; children?: ComponentChildren }) {
  const t = useText(keys);
  if (apiKey.revoked_at !== null) {
    return (
      <Badge status="disabled" icon="canceled">
        {t('revoked')}
      </Badge>
    );
  }
  if (apiKey.disabled) {
    return (
      <Badge status="disabled" icon="canceled">
        {t('disabled')}
      </Badge>
    );
  }
  if (apiKey.expires_at !== null && Date.parse(apiKey.expires_at) <= Date.now()) {
    return (
      <Badge status="expired" icon="expired">
        {t('expired')}
      </Badge>
    );
  }
  return <>{children}</>;
}
