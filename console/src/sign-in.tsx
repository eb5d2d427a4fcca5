import { useState } from 'preact/hooks';
import type { ApiError } from './api/api-error.ts';
import { Preferences } from './components/account.tsx';
import { Button } from './components/button.tsx';
import { FieldError, TextField } from './components/field.tsx';
import { Note } from './components/note.tsx';
import { useText } from './lib/settings.ts';
import { iconAddress } from './sidebar.tsx';
import { common } from './strings/common.ts';

interface Props {
  readonly error: ApiError | null;
  /** Whether the link that `dev` printed was refused. */
  readonly isLinkRefused: boolean;
  readonly isBusy: boolean;
  readonly onSignIn: (key: string) => void;
  /** Checks the key of the tab again. Null if the tab has none. */
  readonly onRetry: (() => void) | null;
}

/** Characters of a key: a header can hold no others. */
const keyPattern = /^[\x21-\x7e]*$/;

/** The page for visitors without a key. After it the screen that was requested is shown. */
export function SignIn({ error, isLinkRefused, isBusy, onSignIn, onRetry }: Props) {
  const t = useText(common);
  const [typed, setKey] = useState('');
  const key = typed.trim();
  const isMalformed = !keyPattern.test(key);
  return (
    <main class="sign-in stack stack-lg" id="content">
      <div class="card">
        <form
          class="card-body stack"
          onSubmit={(event) => {
            event.preventDefault();
            if (key && !isMalformed) onSignIn(key);
          }}
        >
          <div class="row">
            <img class="brand-mark" src={iconAddress()} alt="" />
            <h1>{t('signIn.title')}</h1>
          </div>
          {isLinkRefused ? (
            <Note tone="warning" icon="warning" role="status">
              {t('signIn.linkUsed')}
            </Note>
          ) : null}
          <TextField
            label={t('signIn.key')}
            value={typed}
            onValue={setKey}
            error={isMalformed ? t('signIn.malformed') : undefined}
            input={{ type: 'password', autocomplete: 'current-password', required: true, spellcheck: false }}
            hint={t('signIn.stays')}
          />
          {error ? <SignInError error={error} onRetry={onRetry} /> : null}
          <Button
            kind="primary"
            size="lg"
            type="submit"
            isBusy={isBusy}
            isDisabled={key === '' || isMalformed}
          >
            {isBusy ? t('signIn.busy') : t('signIn')}
          </Button>
          <div class="row">
            <a class="faint" href="/docs/keys">
              {t('signIn.howTo')}
            </a>
            <Preferences />
          </div>
        </form>
      </div>
    </main>
  );
}

function SignInError({ error, onRetry }: { error: ApiError } & Pick<Props, 'onRetry'>) {
  const t = useText(common);
  const { problem } = error;
  return (
    <div role="alert" class="stack stack-tight">
      <FieldError text={error.isConnectionLost ? t('connection.lost') : error.message} />
      {problem ? (
        <p class="row row-wrap faint">
          <span class="tag">{problem.code}</span>
          <span class="mono">{problem.request_id}</span>
        </p>
      ) : null}
      {onRetry ? (
        <div class="row">
          <Button size="sm" icon="retry" onClick={onRetry}>
            {t('retry')}
          </Button>
        </div>
      ) : null}
    </div>
  );
}
