import type { Preset } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { texts } from './texts.ts';

interface Props {
  readonly presets: readonly Preset[];
  readonly onChoose: (prompt: string, preset: string) => void;
}

const examples = ['avatar', 'artwork', 'game-character'] as const;

/** Shown before the first job: prompts to begin with. */
export function EmptyResult({ presets, onChoose }: Props) {
  const t = useText(texts);
  const { isLive } = useSession();
  return (
    <section class="card" aria-label={t('result')}>
      <EmptyState icon="image" title={t('empty.title')} text={isLive ? t('empty.text') : t('empty.offline')}>
        {examples.map((name) => (
          <Button
            key={name}
            size="sm"
            className="button-wrap"
            onClick={() =>
              onChoose(t(`example.${name}`), presets.some((each) => each.name === name) ? name : '')
            }
          >
            {t(`example.${name}`)}
          </Button>
        ))}
      </EmptyState>
    </section>
  );
}
