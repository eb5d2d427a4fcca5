import { useSession, useStreamState } from '../lib/context.ts';
import { useText } from '../lib/settings.ts';
import { common } from '../strings/common.ts';
import { Button } from './button.tsx';
import { Note } from './note.tsx';

/** Says that jobs continue while the stream of the tab is lost. */
export function ConnectionNote() {
  const t = useText(common);
  const { events } = useSession();
  const { name } = useStreamState();
  if (name !== 'lost') return null;
  return (
    <Note
      tone="warning"
      icon="offline"
      role="status"
      action={
        <Button size="sm" onClick={events.retryNow}>
          {t('retry')}
        </Button>
      }
    >
      <div>
        <strong>{t('connection.lost')}</strong> {t('connection.jobsContinue')}
      </div>
    </Note>
  );
}
