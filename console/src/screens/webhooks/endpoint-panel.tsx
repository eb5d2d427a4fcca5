import { Fragment } from 'preact';
import type { WebhookEndpoint } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Note } from '../../components/note.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { Time } from '../../components/time.tsx';
import { formatTime } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { Attempt } from './attempts.tsx';
import type { EndpointAction } from './dialogs.tsx';
import { EventsText, HealthBadge } from './endpoints.tsx';
import { Panel } from './panel.tsx';
import type { EndpointTest } from './use-endpoint-test.ts';
import { hostOf } from './view.ts';

interface Props {
  readonly endpoint: WebhookEndpoint;
  readonly test: EndpointTest;
  readonly onAction: (action: EndpointAction, endpoint: WebhookEndpoint) => void;
}

/** One endpoint: its health, its settings, its actions, and the response to a test. */
export function EndpointPanel({ endpoint, test, onAction }: Props) {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  const isDisabled = endpoint.status === 'disabled';
  const blocked = endpoint.health.blocked_until;
  return (
    <Panel
      key={endpoint.id}
      name="endpoint"
      label={t('endpoint')}
      title={hostOf(endpoint.url)}
      badge={<HealthBadge endpoint={endpoint} />}
    >
      {blocked ? (
        <Note tone="warning" icon="expired">
          {t('blockedUntil', { time: formatTime(blocked, language, { seconds: true }) })}
        </Note>
      ) : null}
      {isDisabled ? (
        <Note tone="danger" icon="canceled">
          {t('disabledText')}
        </Note>
      ) : null}
      <MainActions endpoint={endpoint} test={test} onAction={onAction} />
      <TestResult test={test} id={endpoint.id} />
      <Facts endpoint={endpoint} />
      <MoreActions endpoint={endpoint} onAction={onAction} />
      <History endpoint={endpoint} />
    </Panel>
  );
}

/** Test and recovery of an endpoint, or its enabling, and the change of its settings. */
function MainActions({ endpoint, test, onAction }: Props) {
  const t = useText(webhooks);
  const isDisabled = endpoint.status === 'disabled';
  const act = (action: EndpointAction) => () => onAction(action, endpoint);
  return (
    <div class="row row-wrap">
      {isDisabled ? (
        <Button kind="primary" onClick={act('enable')}>
          {t('enable')}
        </Button>
      ) : (
        <>
          <Button kind="primary" icon="send" isBusy={test.isBusy} onClick={act('test')}>
            {test.isBusy ? t('testing') : t('test')}
          </Button>
          <Button icon="retry" onClick={act('recover')}>
            {t('recover')}
          </Button>
        </>
      )}
      <Button icon="edit" onClick={act('edit')}>
        {t('edit')}
      </Button>
    </div>
  );
}

/** Actions that are rare, or that end deliveries. */
function MoreActions({ endpoint, onAction }: Pick<Props, 'endpoint' | 'onAction'>) {
  const t = useText(webhooks);
  const isDisabled = endpoint.status === 'disabled';
  const act = (action: EndpointAction) => () => onAction(action, endpoint);
  return (
    <div class="row row-wrap">
      <Button size="sm" icon="keys" onClick={act('rotate')}>
        {t('rotate')}
      </Button>
      {isDisabled ? null : (
        <Button size="sm" icon="canceled" onClick={act('disable')}>
          {t('disable')}
        </Button>
      )}
      <Button size="sm" icon="erase" onClick={act('remove')}>
        {t('remove')}
      </Button>
    </div>
  );
}

/** The response to the last test of the endpoint. */
function TestResult({ test, id }: { test: EndpointTest; id: string }) {
  const t = useText(webhooks);
  if (test.endpointId !== id) return null;
  if (test.error) return <ProblemNote error={test.error} isAlert />;
  const attempt = test.result?.attempts.at(-1);
  if (!attempt) return null;
  const hasPassed = test.result?.status === 'delivered';
  return (
    <div class="stack" role="status">
      <Note tone={hasPassed ? 'success' : 'danger'} icon={hasPassed ? 'success' : 'failed'}>
        <strong>{hasPassed ? t('testPassed') : t('testFailed')}</strong>
      </Note>
      <div class="attempts">
        <Attempt attempt={attempt} isLatest />
      </div>
    </div>
  );
}

function Facts({ endpoint }: { endpoint: WebhookEndpoint }) {
  const t = useText(webhooks);
  const { language } = useSettings().settings;
  const { secrets, health } = endpoint;
  const until = secrets.find(({ expires_at }) => expires_at !== null)?.expires_at;
  return (
    <dl class="facts">
      <dt>{t('address')}</dt>
      <dd>{endpoint.url}</dd>
      {endpoint.description ? (
        <>
          <dt>{t('description')}</dt>
          <dd>{endpoint.description}</dd>
        </>
      ) : null}
      <dt>{t('events')}</dt>
      <dd>
        <EventsText events={endpoint.events} />
      </dd>
      <dt>{t('failures')}</dt>
      <dd class="num">{health.consecutive_failures}</dd>
      <dt>{t('secrets')}</dt>
      <dd>
        {t('secretCount', { count: secrets.length })}
        {until ? <div class="faint">{t('secretUntil', { time: formatTime(until, language) })}</div> : null}
      </dd>
      <dt>{t('created')}</dt>
      <dd>
        <Time at={endpoint.created_at} />
      </dd>
    </dl>
  );
}

function History({ endpoint }: { endpoint: WebhookEndpoint }) {
  const t = useText(webhooks);
  return (
    <section class="stack stack-sm">
      <h3>{t('history')}</h3>
      <dl class="facts">
        {endpoint.history.toReversed().map(({ at, what, detail }) => (
          <Fragment key={`${at} ${what}`}>
            <dt>{t(`change.${what}`)}</dt>
            <dd>
              <Time at={at} />
              {detail ? <div class="faint">{detail}</div> : null}
            </dd>
          </Fragment>
        ))}
      </dl>
    </section>
  );
}
