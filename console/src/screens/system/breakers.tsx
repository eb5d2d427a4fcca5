import { useState } from 'preact/hooks';
import type { SystemStatus } from '../../api/types.ts';
import { asApiError } from '../../api/use-live.ts';
import { Badge } from '../../components/badge.tsx';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { TableRegion } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { system } from '../../strings/system.ts';
import { PartCard } from './card.tsx';

type Breakers = SystemStatus['circuit_breakers'];

/** The open circuit breakers, each with the action that closes it. */
export function BreakersCard({ part, onClosed }: { part: Breakers; onClosed: () => void }) {
  const t = useText(system);
  const [scope, setScope] = useState<string | null>(null);
  // The table has the reason of each breaker, so the card does not repeat the first one.
  const shown = part.data.length > 0 ? { ...part, detail: null } : part;
  return (
    <PartCard name="circuit_breakers" part={shown}>
      {part.data.length === 0 ? (
        <p class="card-body faint">{part.state === 'ok' ? t('noBreakers') : t('unknown')}</p>
      ) : (
        <TableRegion label={t('breakersTable')}>
          <thead>
            <tr>
              <th scope="col">{t('scope')}</th>
              <th scope="col">{t('reason')}</th>
              <th scope="col">{t('since')}</th>
              <th scope="col">{t('nextProbe')}</th>
              <th scope="col" class="end">
                <span class="visually-hidden">{t('closeBreaker')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {part.data.map((breaker) => (
              <BreakerRow key={breaker.scope} breaker={breaker} onClose={() => setScope(breaker.scope)} />
            ))}
          </tbody>
        </TableRegion>
      )}
      {scope === null ? null : (
        <CloseDialog scope={scope} onClosed={onClosed} onClose={() => setScope(null)} />
      )}
    </PartCard>
  );
}

function BreakerRow({ breaker, onClose }: { breaker: Breakers['data'][number]; onClose: () => void }) {
  const t = useText(system);
  return (
    <tr>
      <td>
        <span class="row">
          <code>{breaker.scope}</code>
          <Badge status="failing" icon="warning">
            {t(`breaker.${breaker.state}`)}
          </Badge>
        </span>
      </td>
      <td>
        {breaker.reason} <span class="tag">{breaker.code}</span>
      </td>
      <td>
        <Time at={breaker.opened_at} />
      </td>
      <td>
        <Time at={breaker.next_probe_at} seconds />
      </td>
      <td class="end">
        <Button size="sm" onClick={onClose}>
          {t('closeBreaker')}
        </Button>
      </td>
    </tr>
  );
}

function CloseDialog(props: { scope: string; onClosed: () => void; onClose: () => void }) {
  const { scope, onClosed, onClose } = props;
  const t = useText(system);
  const { api, toast } = useSession();
  const resume = async () => {
    await api.call(`/admin/providers/${encodeURIComponent(scope)}/resume`, { method: 'POST' });
    toast(t('closed', { scope }));
    onClosed();
  };
  return (
    <ConfirmDialog
      title={t('closeTitle', { scope })}
      text={t('closeText')}
      keep={t('keep')}
      confirm={t('closeBreaker')}
      onConfirm={resume}
      onError={(error) => <ProblemNote error={asApiError(error)} isAlert />}
      onClose={onClose}
    />
  );
}
