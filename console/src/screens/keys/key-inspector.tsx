import { useEffect, useRef, useState } from 'preact/hooks';
import type { ManagedKey } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { formatTime } from '../../format/time.ts';
import { useSession } from '../../lib/context.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { keys } from '../../strings/keys.ts';
import { BudgetList } from './budgets.tsx';
import { AllowedFacts, LimitFacts } from './key-facts.tsx';
import { KeyState } from './key-list.tsx';
import { OverrideForm } from './override-form.tsx';
import { OverrideList } from './override-list.tsx';

export type KeyAction = 'edit' | 'rotate' | 'revoke';

interface Props {
  readonly apiKey: ManagedKey;
  readonly onAction: (action: KeyAction) => void;
  readonly onChanged: () => void;
}

/** The selected key: its budgets, its limits, and what can be done with it. */
export function KeyInspector({ apiKey, onAction, onChanged }: Props) {
  const t = useText(keys);
  const { id, name, spending, limits } = apiKey;
  const windows = [...new Set(spending.map(({ window }) => window))];
  const element = useRef<HTMLElement>(null);
  // In a narrow window the inspector is below the list.
  useEffect(() => element.current?.scrollIntoView(), [id]);
  const isRevoked = apiKey.revoked_at !== null;
  const overridesPath = `/keys/${id}/budget-overrides`;
  return (
    <aside ref={element} class="inspector stack stack-lg" aria-label={t('inspector', { name })}>
      <div class="stack stack-sm">
        <div class="row">
          <h2 class="truncate">{name}</h2>
          <KeyState apiKey={apiKey} />
        </div>
        <KeyTimes apiKey={apiKey} />
        {isRevoked ? null : <KeyActions apiKey={apiKey} onAction={onAction} onChanged={onChanged} />}
      </div>
      <BudgetList spending={spending} />
      {isRevoked ? null : (
        <>
          <OverrideList path={overridesPath} overrides={apiKey.budget_overrides} onDone={onChanged} />
          <OverrideForm key={id} path={overridesPath} windows={windows} onDone={onChanged} />
        </>
      )}
      <LimitFacts limits={limits} />
      <AllowedFacts {...apiKey} />
    </aside>
  );
}

function KeyTimes({ apiKey }: { apiKey: ManagedKey }) {
  const t = useText(keys);
  const copy = useText(common)('copy');
  const { language } = useSettings().settings;
  const at = (iso: string) => `${formatTime(iso, language, { utc: true })} UTC`;
  const { id, created_at: created, expires_at: expires, previous_valid_until: previous } = apiKey;
  return (
    <>
      <span class="row">
        <span class="faint mono">{id}</span>
        <CopyButton kind="quiet" text={id} label={`${copy} ${id}`} />
      </span>
      {created ? <span class="faint num">{t('created', { time: at(created) })}</span> : null}
      <span class="faint num">{expires ? t('expires', { time: at(expires) }) : t('neverExpires')}</span>
      {previous ? <span class="faint">{t('previousValid', { time: at(previous) })}</span> : null}
    </>
  );
}

function KeyActions({ apiKey, onAction, onChanged }: Props) {
  const t = useText(keys);
  const { api, toast, self } = useSession();
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const { id, disabled } = apiKey;
  const isOwn = self.id === id;
  async function toggle(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      await api.call(`/keys/${id}`, { method: 'PATCH', body: { disabled: !disabled } });
      toast(t('saved'));
      onChanged();
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  }
  return (
    <>
      <div class="row row-wrap">
        <Button size="sm" onClick={() => onAction('edit')}>
          {t('edit')}
        </Button>
        <Button size="sm" onClick={() => onAction('rotate')}>
          {t('rotate')}
        </Button>
        {isOwn ? null : (
          <>
            <Button size="sm" isBusy={isBusy} onClick={() => void toggle()}>
              {disabled ? t('enable') : t('disable')}
            </Button>
            <Button size="sm" kind="danger" onClick={() => onAction('revoke')}>
              {t('revoke')}
            </Button>
          </>
        )}
      </div>
      {failure ? <ProblemNote error={asApiError(failure)} isAlert /> : null}
    </>
  );
}
