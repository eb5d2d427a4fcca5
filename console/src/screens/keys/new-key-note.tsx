import type { NewKey } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Note } from '../../components/note.tsx';
import { useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';

interface Props {
  readonly made: NewKey;
  readonly isRotated: boolean;
  readonly onDone: () => void;
}

/** Shows the text of a new key. Only "Done" removes it, because no later page shows it. */
export function NewKeyNote({ made, isRotated, onDone }: Props) {
  const t = useText(keys);
  const title = isRotated ? 'rotated.title' : 'made.title';
  return (
    <Note tone="success" icon="success" role="status">
      <div>
        <strong>{t(title, { name: made.name })}</strong> {t('copyNow')}
      </div>
      <div class="row">
        <input class="input mono" readOnly aria-label={t('newKey')} value={made.key} />
        <CopyButton text={made.key}>{t('copy')}</CopyButton>
        <Button kind="quiet" size="sm" onClick={onDone}>
          {t('done')}
        </Button>
      </div>
    </Note>
  );
}
