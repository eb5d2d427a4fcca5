import type { DeliveryAttempt } from '../../api/types.ts';
import { Icon } from '../../components/icon.tsx';
import { TextRegion } from '../../components/text-region.tsx';
import { Time } from '../../components/time.tsx';
import { formatLatency } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { resultOf } from './view.ts';

/** The attempts of a delivery, the latest first, each with the response of the endpoint. */
export function Attempts({ attempts, total }: { attempts: readonly DeliveryAttempt[]; total: number }) {
  const t = useText(webhooks);
  const older = total - attempts.length;
  return (
    <section class="stack">
      <h3>{t('attempts')}</h3>
      {attempts.length === 0 ? <p class="muted">{t('noAttempts')}</p> : null}
      <div class="attempts">
        {attempts.toReversed().map((attempt, i) => (
          <Attempt key={attempt.no} attempt={attempt} isLatest={i === 0} />
        ))}
      </div>
      {older > 0 ? <p class="faint">{t('olderAttempts', { count: older })}</p> : null}
    </section>
  );
}

/** One attempt: its result in a line, the reason in a sentence, and the response as text. */
export function Attempt({ attempt, isLatest }: { attempt: DeliveryAttempt; isLatest: boolean }) {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  const { no, outcome, latency_ms, detail, response_body, request_headers } = attempt;
  const icon = outcome === 'delivered' ? 'success' : outcome === 'timeout' ? 'expired' : 'failed';
  return (
    <div class="attempt">
      <Icon name={icon} />
      <div class="row row-between">
        <span class="strong">{t('attemptTitle', { number: no, result: resultOf(attempt) })}</span>
        <span class="faint num">{formatLatency(latency_ms, language)}</span>
      </div>
      <span class="faint num">
        <Time at={attempt.started_at} seconds />
      </span>
      {detail ? <span>{detail}</span> : null}
      {response_body ? (
        <TextRegion label={t('responseOf', { number: no })} text={response_body} />
      ) : attempt.status !== null && isLatest ? (
        <span class="faint">{t('emptyResponse')}</span>
      ) : null}
      {isLatest ? (
        <details class="disclosure">
          <summary>
            <Icon name="chevron" />
            {t('headersOf')}
          </summary>
          <TextRegion
            label={t('headersLabel', { number: no })}
            text={[
              `POST ${attempt.url}`,
              ...Object.entries(request_headers).map(([name, value]) => `${name}: ${value}`),
            ].join('\n')}
          />
        </details>
      ) : null}
    </div>
  );
}
