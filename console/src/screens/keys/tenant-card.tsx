import { useState } from 'preact/hooks';
import type { Tenant } from '../../api/types.ts';
import { asApiError, useLive } from '../../api/use-live.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { Money } from '../../components/money.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { keys } from '../../strings/keys.ts';
import { offeredWindows } from './key-draft.ts';
import { LimitFacts } from './key-facts.tsx';
import { OverrideForm } from './override-form.tsx';
import { OverrideList } from './override-list.tsx';
import { TenantForm } from './tenant-form.tsx';

/** The rules of a tenant, for the operator. */
export function TenantCard({ name, onChanged }: { name: string; onChanged: () => void }) {
  const t = useText(keys);
  const { api } = useSession();
  const path = `/tenants/${encodeURIComponent(name)}`;
  const { data, error, refresh } = useLive((signal) => api.call<Tenant>(path, { signal }), [path]);
  const changed = () => {
    refresh();
    onChanged();
  };
  return (
    <section class="card" aria-labelledby="tenant">
      <div class="card-head">
        <h2 id="tenant">{t('tenant.title', { name })}</h2>
        {data ? <Suspension tenant={data} path={path} onChanged={changed} /> : null}
      </div>
      <div class="card-body stack">
        {error ? <ProblemNote error={error} onRetry={refresh} /> : null}
        {!data && !error ? <SkeletonLines /> : null}
        {data ? <Rules tenant={data} path={path} onChanged={changed} /> : null}
      </div>
    </section>
  );
}

interface Props {
  readonly tenant: Tenant;
  readonly path: string;
  readonly onChanged: () => void;
}

function Rules({ tenant, path, onChanged }: Props) {
  const t = useText(keys);
  const [isOpen, setOpen] = useState(false);
  const overridesPath = `${path}/budget-overrides`;
  const windows = offeredWindows.filter((each) => tenant.budgets.some(({ window }) => window === each));
  return (
    <>
      <dl class="facts">
        <dt>{t('budgets')}</dt>
        <dd class="stack stack-tight">
          {tenant.budgets.length === 0 ? <span class="muted">{t('noBudget')}</span> : null}
          {tenant.budgets.map(({ window, soft, limit_micro_usd: limit }) => {
            const name = window === 'other' ? window : t(`window.${window}`);
            return (
              <span key={`${window}-${soft}`}>
                {soft ? t('softWindow', { window: name }) : name} <Money microUsd={limit} />
              </span>
            );
          })}
        </dd>
        <dt>{t('tenant.weight')}</dt>
        <dd class="num">{tenant.weight}</dd>
      </dl>
      <LimitFacts limits={tenant.limits} />
      <div class="row">
        <Button size="sm" icon="edit" onClick={() => setOpen(true)}>
          {t('tenant.edit')}
        </Button>
      </div>
      {isOpen ? (
        <TenantForm
          tenant={tenant}
          path={path}
          onChanged={() => {
            setOpen(false);
            onChanged();
          }}
          onClose={() => setOpen(false)}
        />
      ) : null}
      <OverrideList path={overridesPath} overrides={tenant.budget_overrides} onDone={onChanged} />
      <OverrideForm path={overridesPath} windows={windows} onDone={onChanged} />
    </>
  );
}

function Suspension({ tenant, path, onChanged }: Props) {
  const t = useText(keys);
  const cancel = useText(common)('cancel');
  const { api, toast } = useSession();
  const [isOpen, setOpen] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const change = async (suspended: boolean) => {
    await api.call(path, { method: 'PATCH', body: { suspended } });
    toast(t('tenant.done'));
    onChanged();
  };
  if (tenant.suspended) {
    return (
      <span class="row push">
        <Badge status="disabled" icon="canceled">
          {t('tenant.suspended')}
        </Badge>
        <Button size="sm" onClick={() => void change(false).catch(setFailure)}>
          {t('tenant.resume')}
        </Button>
        {failure ? <ProblemNote error={asApiError(failure)} isAlert /> : null}
      </span>
    );
  }
  return (
    <>
      <Button size="sm" className="push" onClick={() => setOpen(true)}>
        {t('tenant.suspend')}
      </Button>
      {isOpen ? (
        <ConfirmDialog
          title={t('tenant.suspendTitle', { name: tenant.name })}
          text={t('tenant.suspendText')}
          keep={cancel}
          confirm={t('tenant.suspend')}
          onConfirm={() => change(true)}
          onError={(error) => <ProblemNote error={asApiError(error)} isAlert />}
          onClose={() => setOpen(false)}
        />
      ) : null}
    </>
  );
}
