import type { SystemStatus } from '../../api/types.ts';
import { TableRegion } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes, formatDuration } from '../../format/time.ts';
import { useSettings, useText } from '../../lib/settings.ts';
import { system } from '../../strings/system.ts';
import { Facts, PartCard } from './card.tsx';

/** Returns functions that format values of the status. Null stays null. */
function useFormats() {
  const { language } = useSettings().settings;
  const numbers = new Intl.NumberFormat(language);
  return {
    count: (value: number | null) => (value === null ? null : numbers.format(value)),
    bytes: (value: number | null) => (value === null ? null : formatBytes(value, language)),
    seconds: (value: number | null) => (value === null ? null : formatDuration(value * 1000, language)),
    ms: (value: number | null) => (value === null ? null : `${numbers.format(value)} ms`),
  };
}

export function QueueCard({ part }: { part: SystemStatus['queue'] }) {
  const t = useText(system);
  const { count, seconds } = useFormats();
  return (
    <PartCard name="queue" part={part}>
      <Facts
        facts={[
          [t('waiting'), count(part.waiting)],
          [t('delayed'), count(part.delayed)],
          [t('active'), count(part.active)],
          [t('oldestQueued'), part.oldest_queued_s === 0 ? t('none') : seconds(part.oldest_queued_s)],
          [t('oldestRunning'), part.oldest_running_s === 0 ? t('none') : seconds(part.oldest_running_s)],
        ]}
      />
    </PartCard>
  );
}

export function WebhooksCard({ part }: { part: SystemStatus['webhooks'] }) {
  const t = useText(system);
  const { count } = useFormats();
  return (
    <PartCard name="webhooks" part={part}>
      <Facts
        facts={[
          [t('pendingDeliveries'), count(part.pending_deliveries)],
          [t('waiting'), count(part.waiting)],
          [t('delayed'), count(part.delayed)],
          [t('active'), count(part.active)],
        ]}
      />
    </PartCard>
  );
}

export function RedisCard({ part }: { part: SystemStatus['redis'] }) {
  const t = useText(system);
  const { bytes, ms } = useFormats();
  const used = bytes(part.used_bytes);
  const max = bytes(part.max_bytes);
  return (
    <PartCard name="redis" part={part}>
      <Facts
        facts={[
          [t('version'), part.version],
          [t('role'), part.role],
          [t('memory'), used !== null && max !== null ? t('memoryOf', { used, max }) : used],
          [t('aof'), part.aof_enabled === null ? null : part.aof_enabled ? t('on') : t('off')],
          [t('latency'), ms(part.latency_ms)],
        ]}
      />
    </PartCard>
  );
}

export function StorageCard({ part }: { part: SystemStatus['storage'] }) {
  const t = useText(system);
  const { ms } = useFormats();
  return (
    <PartCard name="storage" part={part}>
      <Facts
        facts={[
          [t('location'), part.location],
          [t('latency'), ms(part.latency_ms)],
        ]}
      />
    </PartCard>
  );
}

export function SpoolCard({ part }: { part: SystemStatus['spool'] }) {
  const t = useText(system);
  const { count, bytes } = useFormats();
  const isKnown = part.files !== null;
  return (
    <PartCard name="spool" part={part}>
      <Facts
        facts={[
          [t('responses'), count(part.files)],
          [t('size'), bytes(part.size_bytes)],
          [t('oldest'), isKnown ? part.oldest_at ? <Time at={part.oldest_at} /> : t('none') : null],
          [t('unknownVersions'), isKnown ? part.unknown_versions.join(', ') || t('none') : null],
          ...part.data.map(({ host, folder }) => [t('folder'), <code>{`${host}:${folder}`}</code>] as const),
        ]}
      />
    </PartCard>
  );
}

export function WorkersCard({ part }: { part: SystemStatus['workers'] }) {
  const t = useText(system);
  return (
    <PartCard name="workers" part={part}>
      {part.data.length === 0 ? (
        <p class="card-body faint">{part.alive === null ? t('unknown') : t('noWorkers')}</p>
      ) : (
        <TableRegion label={t('workersTable')}>
          <thead>
            <tr>
              <th scope="col">{t('worker')}</th>
              <th scope="col">{t('release')}</th>
              <th scope="col" class="end">
                {t('running')}
              </th>
              <th scope="col" class="end">
                {t('lastSeen')}
              </th>
            </tr>
          </thead>
          <tbody>
            {part.data.map((worker) => (
              <tr key={worker.id}>
                <td title={worker.id}>
                  {worker.host ?? '–'} <span class="faint mono">{worker.id.slice(0, 8)}</span>
                </td>
                <td>{worker.release ?? '–'}</td>
                <td class="end num">{t('runningOf', { running: worker.running, slots: worker.slots })}</td>
                <td class="end">
                  {worker.alive ? null : <span class="strong">{t('dead')} </span>}
                  <Time at={worker.last_seen_at} seconds />
                </td>
              </tr>
            ))}
          </tbody>
        </TableRegion>
      )}
    </PartCard>
  );
}

export function VersionsCard({ part }: { part: SystemStatus['versions'] }) {
  const t = useText(system);
  const schemas = Object.entries(part.schemas).map(([name, version]) => `${name} ${version}`);
  return (
    <PartCard name="versions" part={part}>
      <Facts
        facts={[
          [t('release'), part.release],
          [t('node'), part.node],
          [t('schemas'), schemas.join(', ')],
        ]}
      />
      {part.processes.length === 0 ? null : (
        <TableRegion label={t('processesTable')}>
          <thead>
            <tr>
              <th scope="col">{t('process')}</th>
              <th scope="col">{t('roles')}</th>
              <th scope="col">{t('release')}</th>
              <th scope="col" class="end">
                {t('started')}
              </th>
            </tr>
          </thead>
          <tbody>
            {part.processes.map((process) => (
              <tr key={process.id}>
                <td title={process.id}>
                  {process.host} <span class="faint num">{process.pid}</span>
                </td>
                <td>{process.roles.join(', ')}</td>
                <td>{process.release}</td>
                <td class="end">
                  <Time at={process.started_at} />
                </td>
              </tr>
            ))}
          </tbody>
        </TableRegion>
      )}
    </PartCard>
  );
}
