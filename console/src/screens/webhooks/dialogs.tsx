import { useRef, useState } from 'preact/hooks';
import type { NewWebhookEndpoint, WebhookEndpoint } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { EndpointForm } from './endpoint-form.tsx';
import { useShowSecret } from './use-show-secret.ts';
import { hostOf, localInputOf, recoverySince, timeOfInput } from './view.ts';

/** Actions on one endpoint. */
export type EndpointAction = 'test' | 'recover' | 'enable' | 'disable' | 'edit' | 'rotate' | 'remove';

/** The open dialog of the screen. */
export type OpenDialog =
  | { readonly name: 'create' }
  | { readonly name: Exclude<EndpointAction, 'test' | 'enable'>; readonly endpoint: WebhookEndpoint };

interface Props {
  readonly dialog: OpenDialog;
  readonly onDialog: (dialog: OpenDialog | null) => void;
  /** Called after a change of the endpoints or of their deliveries. */
  readonly onChange: () => void;
}

/** The dialog that is open. */
export function EndpointDialog({ dialog, onDialog, onChange }: Props) {
  const close = () => onDialog(null);
  const showSecret = useShowSecret();
  const showNew = (endpoint: NewWebhookEndpoint, isRotated: boolean) => {
    onChange();
    close();
    showSecret(endpoint, isRotated);
  };
  switch (dialog.name) {
    case 'create':
      return <EndpointForm onClose={close} onCreated={(endpoint) => showNew(endpoint, false)} />;
    case 'edit':
      return <EndpointForm endpoint={dialog.endpoint} onClose={close} onChanged={onChange} />;
    case 'rotate':
      return (
        <RotateDialog
          endpoint={dialog.endpoint}
          onClose={close}
          onRotated={(endpoint) => showNew(endpoint, true)}
        />
      );
    case 'recover':
      return <RecoverDialog endpoint={dialog.endpoint} onClose={close} onChange={onChange} />;
    default:
      return <EndDialog name={dialog.name} endpoint={dialog.endpoint} onClose={close} onChange={onChange} />;
  }
}

interface DialogProps {
  readonly endpoint: WebhookEndpoint;
  readonly onClose: () => void;
}

const pathOf = ({ id }: WebhookEndpoint) => `/webhooks/endpoints/${id}`;
const problemOf = (error: unknown) => <ProblemNote error={asApiError(error)} isAlert />;

function RotateDialog(props: DialogProps & { onRotated: (endpoint: NewWebhookEndpoint) => void }) {
  const t = useText(webhooks);
  const { api } = useSession();
  const { endpoint, onClose, onRotated } = props;
  const rotated = useRef<NewWebhookEndpoint | null>(null);
  return (
    <ConfirmDialog
      title={t('rotate.title', { host: hostOf(endpoint.url) })}
      text={t('rotate.text')}
      keep={t('keep')}
      confirm={t('rotate.confirm')}
      icon="keys"
      onConfirm={async () => {
        const path = `${pathOf(endpoint)}/rotate-secret`;
        rotated.current = await api.call<NewWebhookEndpoint>(path, { body: {} });
      }}
      onError={problemOf}
      // The dialog closes itself after the rotation, and the secret takes its place.
      onClose={() => (rotated.current ? onRotated(rotated.current) : onClose())}
    />
  );
}

function RecoverDialog({ endpoint, onClose, onChange }: DialogProps & { onChange: () => void }) {
  const t = useText(webhooks);
  const { api, toast } = useSession();
  const [value, setValue] = useState(() => localInputOf(recoverySince(endpoint, Date.now())));
  const since = timeOfInput(value);
  return (
    <ConfirmDialog
      title={t('recover.title', { host: hostOf(endpoint.url) })}
      text={t('recover.text')}
      keep={t('keep')}
      confirm={t('recover')}
      icon="retry"
      isDisabled={since === null}
      onConfirm={async () => {
        const path = `${pathOf(endpoint)}/recover`;
        const { deliveries } = await api.call<{ deliveries: number }>(path, { body: { since } });
        toast(deliveries === 0 ? t('recoveredNone') : t('recovered', { count: deliveries }));
        onChange();
      }}
      onError={problemOf}
      onClose={onClose}
    >
      <TextField
        label={t('recover.since')}
        note={t('recover.zone')}
        error={since === null ? t('recover.invalid') : undefined}
        value={value}
        onValue={setValue}
        input={{ type: 'datetime-local', required: true }}
      />
    </ConfirmDialog>
  );
}

/** Confirms an action that ends the deliveries of an endpoint. */
function EndDialog(props: DialogProps & { name: 'disable' | 'remove'; onChange: () => void }) {
  const t = useText(webhooks);
  const { api, toast } = useSession();
  const { name, endpoint, onClose, onChange } = props;
  return (
    <ConfirmDialog
      title={t(`${name}.title`, { host: hostOf(endpoint.url) })}
      text={t(`${name}.text`)}
      keep={t('keep')}
      confirm={t(name)}
      onConfirm={async () => {
        if (name === 'remove') await api.call(pathOf(endpoint), { method: 'DELETE' });
        else await api.call(pathOf(endpoint), { method: 'PATCH', body: { disabled: true } });
        toast(t(name === 'remove' ? 'removed' : 'disabledDone'));
        onChange();
      }}
      onError={problemOf}
      onClose={onClose}
    />
  );
}
