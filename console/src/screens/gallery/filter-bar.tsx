import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { List, Model } from '../../api/types.ts';
import { useLive } from '../../api/use-live.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { Icon, type IconName } from '../../components/icon.tsx';
import { useSession } from '../../lib/context.ts';
import { changeQuery } from '../../lib/router.ts';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { gallery } from '../../strings/gallery.ts';
import { type Filters, periods } from './filters.ts';

const statuses = ['queued', 'running', 'succeeded', 'failed', 'canceled', 'expired'] as const;

/** The filters of the gallery. Each change is a new address. */
export function FilterBar({ filters }: { filters: Filters }) {
  const t = useText(gallery);
  const c = useText(common);
  const { api } = useSession();
  const models = useLive((signal) => api.call<List<Model>>('/models', { signal }), [api]);
  const [isAdding, setAdding] = useState(false);
  const names = (models.data?.data ?? []).map(({ id }) => id);
  const known = filters.model === null || names.includes(filters.model) ? names : [filters.model, ...names];
  return (
    <fieldset class="row row-wrap filters" aria-label={t('filters')}>
      <SelectChip name="status" icon="half" label={t('filter.status')} value={filters.status}>
        {statuses.map((status) => (
          <option key={status} value={status}>
            {c(`status.${status}`)}
          </option>
        ))}
        {filters.status === null || statuses.some((each) => each === filters.status) ? null : (
          <option value={filters.status}>{filters.status}</option>
        )}
      </SelectChip>
      <SelectChip name="model" icon="box" label={t('fact.model')} value={filters.model}>
        {known.map((model) => (
          <option key={model} value={model}>
            {model}
          </option>
        ))}
      </SelectChip>
      <SelectChip name="since" icon="calendar" label={t('filter.time')} value={filters.since}>
        {Object.keys(periods).map((period) => (
          <option key={period} value={period}>
            {t(`period.${period}` as 'period.7d')}
          </option>
        ))}
      </SelectChip>
      {filters.parent === null ? null : (
        <RemoveChip icon="image" text={t('madeFrom', { id: filters.parent })} name="parent" />
      )}
      {filters.metadata.map(([key, value]) => (
        <RemoveChip key={key} icon="tag" text={`${key} = ${value}`} name={`metadata[${key}]`} />
      ))}
      <button class="chip" type="button" onClick={() => setAdding(true)}>
        <Icon name="plus" />
        {t('fact.metadata')}
      </button>
      {isAdding ? <MetadataDialog onClose={() => setAdding(false)} /> : null}
    </fieldset>
  );
}

function SelectChip(props: {
  name: string;
  icon: IconName;
  label: string;
  value: string | null;
  children: ComponentChildren;
}) {
  const { name, icon, label, value, children } = props;
  return (
    <span class="chip chip-select" data-active={value !== null}>
      <Icon name={icon} />
      <select
        aria-label={label}
        data-first-filter={name === 'status' || undefined}
        value={value ?? ''}
        onChange={(event) => changeQuery({ [name]: event.currentTarget.value, job: undefined })}
      >
        <option value="">{label}</option>
        {children}
      </select>
      <Icon name="chevron-down" />
    </span>
  );
}

function RemoveChip({ icon, text, name }: { icon: IconName; text: string; name: string }) {
  const t = useText(gallery);
  return (
    <button
      class="chip"
      type="button"
      data-active="true"
      aria-label={t('removeFilter', { filter: text })}
      onClick={() => changeQuery({ [name]: undefined, job: undefined })}
    >
      <Icon name={icon} />
      <span class="truncate">{text}</span>
      <Icon name="close" />
    </button>
  );
}

function MetadataDialog({ onClose }: { onClose: () => void }) {
  const t = useText(gallery);
  const c = useText(common);
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  return (
    <Dialog title={t('metadata.title')} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          onClose();
          changeQuery({ [`metadata[${key}]`]: value, job: undefined });
        }}
      >
        <div class="field-pair">
          <TextField
            label={t('metadata.key')}
            value={key}
            onValue={setKey}
            input={{ required: true, maxLength: 64 }}
          />
          <TextField
            label={t('metadata.value')}
            value={value}
            onValue={setValue}
            input={{ required: true, maxLength: 512 }}
          />
        </div>
        <div class="row">
          <Button className="push" onClick={onClose}>
            {c('cancel')}
          </Button>
          <Button kind="primary" type="submit" isDisabled={key === '' || value === ''}>
            {t('metadata.apply')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
