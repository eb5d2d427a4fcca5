import type { ManagedKey } from '../../api/types.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';

type Rules = Pick<ManagedKey, 'limits' | 'scopes' | 'models' | 'presets_only'>;

/** The limits of a key or a tenant. */
export function LimitFacts({ limits }: Pick<Rules, 'limits'>) {
  const t = useText(keys);
  const { language } = useSettings().settings;
  const count = (value: number | null) =>
    value === null ? t('noLimit') : new Intl.NumberFormat(language).format(value);
  const perMinute = limits.requests_per_minute;
  return (
    <section class="stack stack-sm">
      <h3>{t('limits')}</h3>
      <dl class="facts">
        <dt>{t('requests')}</dt>
        <dd class="num">{perMinute === null ? t('noLimit') : t('perMinute', { count: perMinute })}</dd>
        <dt>{t('runningJobs')}</dt>
        <dd class="num">{count(limits.concurrent_jobs)}</dd>
        <dt>{t('waitingJobs')}</dt>
        <dd class="num">{count(limits.queued_jobs)}</dd>
      </dl>
    </section>
  );
}

/** Scopes, models and prompts of a key. */
export function AllowedFacts({ scopes, models, presets_only: presetsOnly }: Omit<Rules, 'limits'>) {
  const t = useText(keys);
  return (
    <section class="stack stack-sm">
      <h3>{t('allowed')}</h3>
      <dl class="facts">
        <dt>{t('scopes')}</dt>
        <dd class="row row-wrap">
          {scopes.map((scope) => (
            <span key={scope} class="tag">
              {scope}
            </span>
          ))}
        </dd>
        <dt>{t('models')}</dt>
        <dd>{models === null ? t('allModels') : models.join(', ')}</dd>
        <dt>{t('prompts')}</dt>
        <dd>{presetsOnly ? t('presetsOnly') : t('freePrompts')}</dd>
      </dl>
    </section>
  );
}
