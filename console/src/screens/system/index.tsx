import type { SystemStatus } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { Note } from '../../components/note.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { Time } from '../../components/time.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { system } from '../../strings/system.ts';
import { BreakersCard } from './breakers.tsx';
import {
  QueueCard,
  RedisCard,
  SpoolCard,
  StorageCard,
  VersionsCard,
  WebhooksCard,
  WorkersCard,
} from './cards.tsx';
import { asUnknown, faultsOf } from './parts.ts';

const refreshMs = 5_000;

/** Is the deployment healthy? The worst problem comes first, then a card for each part. */
export function Screen() {
  const t = useText(system);
  const { api } = useSession();
  const status = useLive((signal) => api.call<SystemStatus>('/admin/status', { signal }), [api], {
    everyMs: refreshMs,
  });
  const { error } = status;
  const data = status.data && error ? asUnknown(status.data) : status.data;
  return (
    <Page title={t('title')} actions={data ? <Checked at={data.at} /> : <span />}>
      {error ? <ProblemNote error={error} onRetry={status.refresh} /> : null}
      {data ? (
        <>
          {error ? null : <Summary status={data} />}
          <BreakersCard part={data.circuit_breakers} onClosed={status.refresh} />
          <div class="system-grid">
            <QueueCard part={data.queue} />
            <WebhooksCard part={data.webhooks} />
            <RedisCard part={data.redis} />
            <StorageCard part={data.storage} />
            <SpoolCard part={data.spool} />
          </div>
          <WorkersCard part={data.workers} />
          <VersionsCard part={data.versions} />
        </>
      ) : error ? null : (
        <SkeletonLines count={8} />
      )}
    </Page>
  );
}

function Checked({ at }: { at: string }) {
  const t = useText(system);
  return <span class="faint">{t.rich('checked', { time: <Time key="time" at={at} seconds /> })}</span>;
}

/** One sentence: all systems work, or the problems with the worst first. */
function Summary({ status }: { status: SystemStatus }) {
  const t = useText(system);
  const faults = faultsOf(status);
  if (faults.length === 0) {
    return (
      <Note tone="success" icon="success">
        <strong>{t('allWork')}</strong>
      </Note>
    );
  }
  const isDown = faults[0]?.state === 'down';
  return (
    <Note tone={isDown ? 'danger' : 'warning'} icon={isDown ? 'failed' : 'warning'}>
      {faults.map(({ name, detail }) => (
        <div key={name}>
          <strong>{t(`part.${name}`)}.</strong> {detail}
        </div>
      ))}
    </Note>
  );
}
