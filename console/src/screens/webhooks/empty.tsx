import { useState } from 'preact/hooks';
import type { NewWebhookEndpoint } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { TextRegion } from '../../components/text-region.tsx';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { fieldErrors } from './form.ts';
import { receiverCode } from './receiver.ts';
import { useAction } from './use-action.ts';
import { useCreateEndpoint } from './use-create-endpoint.ts';

/** The screen without endpoints: a field for the first address, and a program that receives its events. */
export function NoEndpoints({ onCreated }: { onCreated: (endpoint: NewWebhookEndpoint) => void }) {
  const t = useText(webhooks);
  const createEndpoint = useCreateEndpoint();
  const [url, setUrl] = useState('');
  const { busy, error, run } = useAction();
  const errors = fieldErrors(error?.problem);
  const create = () => run('create', async () => onCreated(await createEndpoint({ url: url.trim() })));
  return (
    <>
      <section class="card" aria-labelledby="first-endpoint">
        <div class="card-body stack">
          <div class="row">
            <Icon name="webhooks" />
            <h2 id="first-endpoint">{t('empty.title')}</h2>
          </div>
          <p class="muted">{t('empty.text')}</p>
          <form
            class="row row-wrap row-end"
            onSubmit={(event) => {
              event.preventDefault();
              void create();
            }}
          >
            <div class="grow">
              <TextField
                label={t('address')}
                hint={t('form.urlHint')}
                error={errors.url}
                value={url}
                onValue={setUrl}
                input={{ type: 'url', required: true, placeholder: 'https://example.com/hooks' }}
              />
            </div>
            <Button kind="primary" type="submit" isBusy={busy !== null}>
              {t('add')}
            </Button>
          </form>
          {error && !errors.hasAll ? <ProblemNote error={error} isAlert /> : null}
        </div>
      </section>
      <Receiver />
    </>
  );
}

/** A program that receives and verifies events. */
function Receiver() {
  const t = useText(webhooks);
  const c = useText(common);
  return (
    <section class="card" aria-labelledby="receiver">
      <div class="card-head">
        <h2 id="receiver">{t('empty.receiver')}</h2>
        <CopyButton text={receiverCode} className="push">
          {c('copy')}
        </CopyButton>
      </div>
      <TextRegion label={t('empty.code')} text={receiverCode} className="" />
      <div class="card-foot faint">{t('empty.receiverText')}</div>
    </section>
  );
}
