import { useState } from 'preact/hooks';
import type { ManagedKey, NewKey } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog, Dialog } from '../../components/dialog.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { keys } from '../../strings/keys.ts';

const graces = [
  { value: '86400', key: 'rotate.grace24h' },
  { value: '604800', key: 'rotate.grace7d' },
  { value: '3600', key: 'rotate.grace1h' },
  { value: '0', key: 'rotate.grace0' },
] as const;

interface RotateProps {
  readonly apiKey: ManagedKey;
  readonly onRotated: (key: NewKey) => void;
  readonly onClose: () => void;
}

/** Gives a key a new text. The present one stays valid for a grace period. */
export function RotateDialog({ apiKey, onRotated, onClose }: RotateProps) {
  const t = useText(keys);
  const cancel = useText(common)('cancel');
  const { api, self } = useSession();
  // Without a grace period the session of the own key would end before its new text is read.
  const offered = graces.filter(({ value }) => value !== '0' || apiKey.id !== self.id);
  const [grace, setGrace] = useState<string>(graces[0].value);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  async function rotate(): Promise<void> {
    setBusy(true);
    setFailure(null);
    try {
      const body = { grace_s: Number(grace) };
      onRotated(await api.call<NewKey>(`/keys/${apiKey.id}/rotate`, { body }));
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  }
  return (
    <Dialog title={t('rotate.title', { name: apiKey.name })} onClose={onClose}>
      <p class="muted">{t('rotate.text')}</p>
      <SelectField
        label={t('rotate.grace')}
        value={grace}
        onValue={setGrace}
        options={offered.map(({ value, key }) => ({ value, text: t(key) }))}
      />
      {failure ? <ProblemNote error={asApiError(failure)} isAlert /> : null}
      <div class="row">
        <Button className="push" onClick={onClose}>
          {cancel}
        </Button>
        <Button kind="primary" isBusy={isBusy} onClick={() => void rotate()}>
          {t('rotate')}
        </Button>
      </div>
    </Dialog>
  );
}

interface RevokeProps {
  readonly apiKey: ManagedKey;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}

/** Revokes a key for good. The user types its name, so that no other key is meant. */
export function RevokeDialog({ apiKey, onRevoked, onClose }: RevokeProps) {
  const t = useText(keys);
  const { api, toast } = useSession();
  const [typed, setTyped] = useState('');
  return (
    <ConfirmDialog
      title={t('revoke.title', { name: apiKey.name })}
      text={t('revoke.text')}
      keep={t('revoke.keep')}
      confirm={t('revoke')}
      isDisabled={typed.trim() !== apiKey.name}
      onConfirm={async () => {
        await api.call(`/keys/${apiKey.id}`, { method: 'DELETE' });
        toast(t('revoke.done'));
        onRevoked();
      }}
      onError={(error) => <ProblemNote error={asApiError(error)} isAlert />}
      onClose={onClose}
    >
      <TextField
        label={t('revoke.type')}
        value={typed}
        onValue={setTyped}
        input={{ autoComplete: 'off', placeholder: apiKey.name }}
      />
    </ConfirmDialog>
  );
}
