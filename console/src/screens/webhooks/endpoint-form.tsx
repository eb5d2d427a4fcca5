import { useState } from 'preact/hooks';
import type { NewWebhookEndpoint, WebhookEndpoint } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { FieldError, TextField } from '../../components/field.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { type EndpointFields, eventChoices, fieldErrors, fieldsOf, requestOf } from './form.ts';
import { useAction } from './use-action.ts';
import { useCreateEndpoint } from './use-create-endpoint.ts';

interface Props {
  /** The endpoint to change. Absent for a new one. */
  readonly endpoint?: WebhookEndpoint;
  readonly onClose: () => void;
  readonly onCreated?: (endpoint: NewWebhookEndpoint) => void;
  readonly onChanged?: () => void;
}

/** The form of a new endpoint, or of the settings of an endpoint, as a drawer. */
export function EndpointForm({ endpoint, onClose, onCreated, onChanged }: Props) {
  const t = useText(webhooks);
  const c = useText(common);
  const { api, toast } = useSession();
  const createEndpoint = useCreateEndpoint();
  const [fields, setFields] = useState(() => fieldsOf(endpoint));
  const { busy, error, run } = useAction();
  const errors = fieldErrors(error?.problem);
  const save = () =>
    run('save', async () => {
      const body = requestOf(fields);
      if (body === null) return;
      if (endpoint) {
        await api.call(`/webhooks/endpoints/${endpoint.id}`, { method: 'PATCH', body });
        toast(t('form.saved'));
        onChanged?.();
        onClose();
      } else onCreated?.(await createEndpoint(body));
    });
  return (
    <Dialog isDrawer title={t(endpoint ? 'form.edit' : 'form.create')} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField
          label={t('address')}
          hint={t('form.urlHint')}
          error={errors.url}
          value={fields.url}
          onValue={(url) => setFields({ ...fields, url })}
          input={{ type: 'url', required: true, placeholder: 'https://example.com/hooks', maxLength: 2048 }}
        />
        <EventsField fields={fields} onFields={setFields} error={errors.events} />
        <TextField
          label={t('description')}
          note={t('form.optional')}
          error={errors.description}
          value={fields.description}
          onValue={(description) => setFields({ ...fields, description })}
          input={{ maxLength: 512 }}
        />
        {error && !errors.hasAll ? <ProblemNote error={error} isAlert /> : null}
        <div class="row">
          <Button className="push" onClick={onClose}>
            {c('cancel')}
          </Button>
          <Button kind="primary" type="submit" isBusy={busy !== null} isDisabled={requestOf(fields) === null}>
            {t(endpoint ? 'form.save' : 'add')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

interface EventsProps {
  readonly fields: EndpointFields;
  readonly onFields: (fields: EndpointFields) => void;
  readonly error: string | undefined;
}

/** All events, or a choice of them. */
function EventsField({ fields, onFields, error }: EventsProps) {
  const t = useText(webhooks);
  const { hasAllEvents, events } = fields;
  const toggle = (event: string) =>
    onFields({
      ...fields,
      events: events.includes(event) ? events.filter((each) => each !== event) : [...events, event],
    });
  const shown = error ?? (!hasAllEvents && events.length === 0 ? t('form.noEvents') : undefined);
  return (
    <fieldset class="field">
      <legend class="label">{t('events')}</legend>
      {([true, false] as const).map((all) => (
        <label class="row" key={String(all)}>
          <input
            type="radio"
            name="events"
            checked={hasAllEvents === all}
            onChange={() => onFields({ ...fields, hasAllEvents: all })}
          />
          <span>
            {t(all ? 'form.all' : 'form.some')}
            {all ? <span class="faint"> {t('form.allText')}</span> : null}
          </span>
        </label>
      ))}
      {hasAllEvents ? null : (
        <div class="stack stack-sm">
          {eventChoices.map((event) => (
            <label class="row" key={event}>
              <input type="checkbox" checked={events.includes(event)} onChange={() => toggle(event)} />
              <code>{event}</code>
            </label>
          ))}
        </div>
      )}
      {shown ? <FieldError text={shown} /> : null}
    </fieldset>
  );
}
