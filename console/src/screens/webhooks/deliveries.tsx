import type { ComponentChildren } from 'preact';
import type { Page, WebhookDelivery, WebhookEndpoint } from '../../api/types.ts';
import { usePages } from '../../api/use-pages.ts';
import { Button } from '../../components/button.tsx';
import { Icon } from '../../components/icon.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { EmptyState, SkeletonLines } from '../../components/state.tsx';
import { shortId } from '../../format/short-id.ts';
import { useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { DeliveryTable } from './delivery-table.tsx';
import { hostOf } from './view.ts';

const pageSize = 25;
const refreshMs = 10_000;
const statuses = ['pending', 'delivered', 'failed'] as const;
const statusText = {
  pending: 'delivery.retrying',
  delivered: 'delivery.delivered',
  failed: 'delivery.failed',
} as const;

interface Props {
  readonly query: URLSearchParams;
  readonly endpoint: WebhookEndpoint | undefined;
  /** Changes after each action, so that the list is read again. */
  readonly version: number;
}

/** The deliveries of all endpoints, or those that the address selects, newest first. */
export function Deliveries({ query, endpoint, version }: Props) {
  const t = useText(webhooks);
  const list = useDeliveries(query, version);
  const { items: rows, hasMore, isLoadingMore, error, more, refresh } = list;
  return (
    <section class="card" aria-labelledby="deliveries">
      <div class="card-head row-wrap">
        <h2 id="deliveries">{t('deliveries')}</h2>
        <Filters query={query} endpoint={endpoint} />
      </div>
      {error ? (
        <div class="card-body">
          <ProblemNote error={error} onRetry={refresh} />
        </div>
      ) : null}
      {rows === undefined ? (
        error ? null : (
          <div class="card-body">
            <SkeletonLines count={6} />
          </div>
        )
      ) : rows.length === 0 ? (
        <NoDeliveries isFiltered={query.has('status') || query.has('job')} />
      ) : (
        <>
          <DeliveryTable deliveries={rows} query={query} />
          <div class="row row-between card-foot">
            <span class="faint">{hasMore ? '' : t('allLoaded')}</span>
            {hasMore ? (
              <Button size="sm" isBusy={isLoadingMore} onClick={more}>
                {t('loadMore')}
              </Button>
            ) : null}
          </div>
        </>
      )}
    </section>
  );
}

function Filters({ query, endpoint }: { query: URLSearchParams; endpoint: WebhookEndpoint | undefined }) {
  const t = useText(webhooks);
  const status = query.get('status') ?? '';
  const host = endpoint ? hostOf(endpoint.url) : query.get('endpoint');
  const job = query.get('job');
  return (
    <div class="row row-wrap push">
      {job ? (
        <Chip title={t('showAllJobs', { job })} onRemove={() => changeQuery({ job: undefined })}>
          {t('ofOneJob', { job: shortId(job) })}
        </Chip>
      ) : null}
      {host ? (
        <Chip
          title={t('showAll', { host })}
          onRemove={() => changeQuery({ endpoint: undefined, delivery: undefined })}
        >
          {host}
        </Chip>
      ) : null}
      <select
        class="select select-sm"
        aria-label={t('status')}
        data-first-filter
        value={status}
        onChange={(event) => changeQuery({ status: event.currentTarget.value })}
      >
        <option value="">{t('anyStatus')}</option>
        {statuses.map((each) => (
          <option key={each} value={each}>
            {t(statusText[each])}
          </option>
        ))}
      </select>
    </div>
  );
}

/** An active filter, which a click removes. */
function Chip(props: { title: string; onRemove: () => void; children: ComponentChildren }) {
  const { title, onRemove, children } = props;
  return (
    <button type="button" class="chip" data-active="true" title={title} onClick={onRemove}>
      {children}
      <Icon name="close" />
    </button>
  );
}

function NoDeliveries({ isFiltered }: { isFiltered: boolean }) {
  const t = useText(webhooks);
  if (!isFiltered) return <EmptyState icon="send" title={t('noDeliveries')} text={t('noDeliveriesText')} />;
  return (
    <EmptyState icon="send" title={t('nothingMatches')} text={t('nothingMatchesText')}>
      <Button onClick={() => changeQuery({ endpoint: undefined, job: undefined, status: undefined })}>
        {t('clearFilters')}
      </Button>
    </EmptyState>
  );
}

/** Reads the deliveries again and again, and older pages on request. */
function useDeliveries(query: URLSearchParams, version: number) {
  const { api } = useSession();
  const chosen = {
    endpoint_id: query.get('endpoint'),
    image_id: query.get('job'),
    status: query.get('status'),
  };
  return usePages(
    (cursor, signal) =>
      api.call<Page<WebhookDelivery>>('/webhooks/deliveries', {
        query: { limit: pageSize, ...chosen, cursor },
        signal,
      }),
    [...Object.values(chosen).map((value) => value ?? ''), String(version)],
    { everyMs: refreshMs },
  );
}
