import { useState } from 'preact/hooks';
import type { ManagedKey, NewKey, Page as PageOf } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { usePages } from '../../api/use-pages.ts';
import { useRefresh } from '../../api/use-refresh.ts';
import { Button } from '../../components/button.tsx';
import { SelectField } from '../../components/field.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSecret } from '../../components/secret-dialog.tsx';
import { useCan, useEvents, useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import type { ScreenProps } from '../../screen-props.ts';
import { keys } from '../../strings/keys.ts';
import { RevokeDialog, RotateDialog } from './key-dialogs.tsx';
import { KeyForm } from './key-form.tsx';
import { type KeyAction, KeyInspector } from './key-inspector.tsx';
import { KeyList } from './key-list.tsx';
import { OwnKey } from './own-key.tsx';
import { RecentChanges } from './recent-changes.tsx';
import { TenantCard } from './tenant-card.tsx';

/** Pause between two reads of the list while the page is visible. Ended jobs cause further reads. */
const refreshMs = 15_000;
/** Time in which all jobs that end cause one read. */
const endedMs = 1_000;
const pageSize = 100;

/** Keys and budgets: who may spend how much. Without the scope `admin`, only the own key. */
export function Screen({ query }: ScreenProps) {
  const can = useCan();
  return can('admin') ? <Keys query={query} /> : <OwnKey />;
}

type Open = KeyAction | 'create' | null;

function Keys({ query }: Pick<ScreenProps, 'query'>) {
  const t = useText(keys);
  const { self } = useSession();
  const tenant = query.get('tenant') ?? '';
  const list = useKeys(self.operator ? tenant : '');
  const [open, setOpen] = useState<Open>(null);
  const [, showSecret] = useSecret();
  const [version, setVersion] = useState(0);
  const selected = useSelected(list.items, query.get('key'), version);
  const changed = () => {
    list.refresh();
    setVersion((before) => before + 1);
    setOpen(null);
  };
  const show = (key: NewKey, isRotated: boolean) => {
    showSecret({
      title: t(isRotated ? 'rotated.title' : 'made.title', { name: key.name }),
      about: t('copyNow'),
      label: t('newKey'),
      text: key.key,
    });
    changeQuery({ key: key.id });
    changed();
  };
  return (
    <Page
      title={t('title')}
      layout="split"
      actions={
        <Button size="sm" kind="primary" icon="plus" onClick={() => setOpen('create')}>
          {t('create')}
        </Button>
      }
    >
      <div class="page stack">
        {list.error ? <ProblemNote error={list.error} onRetry={list.refresh} /> : null}
        {self.operator ? <TenantFilter tenant={tenant} known={list.tenants} /> : null}
        <KeyList
          list={list.items}
          hasMore={list.hasMore}
          onMore={list.more}
          selectedId={selected?.id ?? null}
          query={query}
        />
        <TenantDetails tenant={tenant} known={list.items ?? []} version={version} onChanged={changed} />
      </div>
      {selected ? <KeyInspector apiKey={selected} onAction={setOpen} onChanged={changed} /> : <NoSelection />}
      <Dialogs
        open={open}
        selected={selected}
        tenant={tenant}
        onText={show}
        onChanged={changed}
        onClose={() => setOpen(null)}
      />
    </Page>
  );
}

function NoSelection() {
  const t = useText(keys);
  return (
    <div class="inspector faint" data-sheet="closed">
      {t('nothingSelected')}
    </div>
  );
}

/** Returns the key of the address, which may be on a page that is not loaded; null without one. */
function useSelected(
  list: readonly ManagedKey[] | undefined,
  id: string | null,
  version: number,
): ManagedKey | null {
  const { api } = useSession();
  const listed = list?.find((key) => key.id === id) ?? null;
  const other = useLive((signal) => api.call<ManagedKey>(`/keys/${id}`, { signal }), [id, version], {
    isEnabled: id !== null && list !== undefined && listed === null,
  });
  return listed ?? (other.data?.id === id ? (other.data ?? null) : null);
}

/** The rules of the chosen tenant, for the operator, and the latest changes. */
function TenantDetails(props: {
  tenant: string;
  known: readonly ManagedKey[];
  version: number;
  onChanged: () => void;
}) {
  const t = useText(keys);
  const { self } = useSession();
  const { tenant, known, version, onChanged } = props;
  // The log of the operator's own tenant has no changes of keys.
  if (self.operator && !tenant) return <p class="muted">{t('chooseTenant')}</p>;
  return (
    <>
      {self.operator ? <TenantCard name={tenant} onChanged={onChanged} /> : null}
      <RecentChanges tenant={tenant} known={known} version={version} />
    </>
  );
}

interface DialogsProps {
  readonly open: Open;
  readonly selected: ManagedKey | null;
  readonly tenant: string;
  readonly onText: (key: NewKey, isRotated: boolean) => void;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** The open drawer or dialog. */
function Dialogs({ open, selected, tenant, onText, onChanged, onClose }: DialogsProps) {
  if (open === 'create' || (open === 'edit' && selected)) {
    return (
      <KeyForm
        apiKey={open === 'edit' ? selected : null}
        tenant={tenant}
        onCreated={(key) => onText(key, false)}
        onChanged={onChanged}
        onClose={onClose}
      />
    );
  }
  if (open === 'rotate' && selected) {
    return <RotateDialog apiKey={selected} onRotated={(key) => onText(key, true)} onClose={onClose} />;
  }
  if (open === 'revoke' && selected) {
    return <RevokeDialog apiKey={selected} onRevoked={onChanged} onClose={onClose} />;
  }
  return null;
}

function TenantFilter({ tenant, known }: { tenant: string; known: readonly string[] }) {
  const t = useText(keys);
  const names = [...new Set([...known, ...(tenant ? [tenant] : [])])].sort();
  return (
    <SelectField
      label={t('tenant')}
      value={tenant}
      onValue={(name) => changeQuery({ tenant: name, key: undefined })}
      options={[{ value: '', text: t('tenant.all') }, ...names.map((name) => ({ value: name, text: name }))]}
    />
  );
}

/** Returns the keys, page by page, and the names of their tenants. */
function useKeys(tenant: string) {
  const { api } = useSession();
  const [tenants, setTenants] = useState<readonly string[]>([]);
  const pages = usePages(
    async (cursor, signal) => {
      const query = { tenant, limit: pageSize, cursor };
      const page = await api.call<PageOf<ManagedKey>>('/keys', { query, signal });
      // The filter offers every tenant that was seen, also after one is chosen.
      setTenants((before) => [...new Set([...before, ...page.data.map((key) => key.tenant)])]);
      return page;
    },
    [tenant],
    { everyMs: refreshMs },
  );
  const refreshIn = useRefresh(pages.refresh);
  useEvents((event) => {
    if (event.job) refreshIn(endedMs);
  });
  return { ...pages, tenants };
}
