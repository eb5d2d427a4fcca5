import { useState } from 'preact/hooks';
import type {
  NewWebhookEndpoint,
  Page as PageOf,
  WebhookDelivery,
  WebhookEndpoint,
} from '../../api/types.ts';
import { asApiError, useLive } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Page } from '../../components/page.tsx';
import { ProblemNote } from '../../components/problem.tsx';
import { SkeletonLines } from '../../components/state.tsx';
import { useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import type { ScreenProps } from '../../screen-props.ts';
import { webhooks } from '../../strings/webhooks.ts';
import { Deliveries } from './deliveries.tsx';
import { DeliveryPanel } from './delivery-panel.tsx';
import { type EndpointAction, EndpointDialog, type OpenDialog } from './dialogs.tsx';
import { NoEndpoints } from './empty.tsx';
import { EndpointPanel } from './endpoint-panel.tsx';
import { Endpoints } from './endpoints.tsx';
import { useAction } from './use-action.ts';
import { useEndpointTest } from './use-endpoint-test.ts';
import { useShowSecret } from './use-show-secret.ts';

const refreshMs = 15_000;
/** Maximum number of endpoints whose last delivery is read, one request each. */
const maxLastDeliveries = 10;
const maxEndpoints = 100;

/** Webhooks: the health of the endpoints, and why a delivery did not arrive. */
export function Screen({ query }: ScreenProps) {
  const t = useText(webhooks);
  const [version, setVersion] = useState(0);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const { endpoints, lastDeliveries, refresh, error } = useEndpoints(version);
  const onChange = () => setVersion((before) => before + 1);
  const showSecret = useShowSecret();
  const onCreated = (endpoint: NewWebhookEndpoint) => {
    onChange();
    showSecret(endpoint, false);
  };
  const { test, act, actionError } = useEndpointActions(setDialog, onChange);
  const deliveryId = query.get('delivery');
  const selected = endpoints?.find(({ id }) => id === query.get('endpoint'));
  const panel = deliveryId ? (
    <DeliveryPanel id={deliveryId} onChange={onChange} />
  ) : selected ? (
    <EndpointPanel endpoint={selected} test={test} onAction={act} />
  ) : null;
  const content = (
    <>
      {error ? <ProblemNote error={error} onRetry={refresh} /> : null}
      {actionError ? <ProblemNote error={actionError} isAlert /> : null}
      {endpoints === undefined ? (
        error ? null : (
          <SkeletonLines count={5} />
        )
      ) : endpoints.length === 0 ? (
        <NoEndpoints onCreated={onCreated} />
      ) : (
        <Endpoints
          endpoints={endpoints}
          selected={selected?.id ?? null}
          query={query}
          lastDeliveries={lastDeliveries}
          onAction={act}
        />
      )}
      {endpoints === undefined ? null : <Deliveries query={query} endpoint={selected} version={version} />}
    </>
  );
  return (
    <Page
      title={t('title')}
      layout={panel ? 'split' : 'page'}
      actions={endpoints?.length ? <AddButton onClick={() => setDialog({ name: 'create' })} /> : null}
    >
      {panel ? <div class="page stack stack-lg">{content}</div> : content}
      {panel}
      {dialog ? <EndpointDialog dialog={dialog} onDialog={setDialog} onChange={onChange} /> : null}
    </Page>
  );
}

function AddButton({ onClick }: { onClick: () => void }) {
  const t = useText(webhooks);
  return (
    <Button kind="primary" size="sm" icon="plus" onClick={onClick}>
      {t('add')}
    </Button>
  );
}

/** Reads the endpoints again and again, and the time of the last delivery of each once. */
function useEndpoints(version: number) {
  const { api } = useSession();
  const live = useLive(
    (signal) =>
      api.call<PageOf<WebhookEndpoint>>('/webhooks/endpoints', { query: { limit: maxEndpoints }, signal }),
    [version],
    { everyMs: refreshMs },
  );
  const endpoints = live.data?.data;
  const ids = (endpoints ?? []).slice(0, maxLastDeliveries).map(({ id }) => id);
  const last = useLive(
    async (signal) =>
      new Map(
        await Promise.all(
          ids.map(async (id): Promise<[string, string | null]> => {
            const query = { endpoint_id: id, limit: 1 };
            const page = await api.call<PageOf<WebhookDelivery>>('/webhooks/deliveries', { query, signal });
            const delivery = page.data[0];
            return [id, delivery ? (delivery.attempts.at(-1)?.started_at ?? delivery.created_at) : null];
          }),
        ),
      ),
    [ids.join(), version],
    { isEnabled: ids.length > 0 },
  );
  return {
    endpoints,
    lastDeliveries: last.data ?? new Map<string, string | null>(),
    refresh: live.refresh,
    error: live.error,
  };
}

/** Returns the function that runs an action: some at once, others after a dialog. */
function useEndpointActions(setDialog: (dialog: OpenDialog) => void, onChange: () => void) {
  const t = useText(webhooks);
  const { api, toast } = useSession();
  const { test, send } = useEndpointTest();
  const { error, run } = useAction();
  const act = (action: EndpointAction, endpoint: WebhookEndpoint) => {
    if (action === 'test') {
      changeQuery({ endpoint: endpoint.id, delivery: undefined });
      void send(endpoint.id).then(onChange);
    } else if (action === 'enable') {
      void run('enable', async () => {
        await api.call(`/webhooks/endpoints/${endpoint.id}`, { method: 'PATCH', body: { disabled: false } });
        toast(t('enabledDone'));
        onChange();
      });
    } else setDialog({ name: action, endpoint });
  };
  return { test, act, actionError: error ? asApiError(error) : null };
}
