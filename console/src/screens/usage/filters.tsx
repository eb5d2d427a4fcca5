import { useEffect, useState } from 'preact/hooks';
import { SelectField, TextField } from '../../components/field.tsx';
import { RadioSegments } from '../../components/segmented.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { usage } from '../../strings/usage.ts';
import { dimensions, ranges, type UsageQuery } from './query.ts';

type Change = (changes: Readonly<Record<string, string | undefined>>) => void;

/** Period, grouping and, for the operator, the tenant. The address holds them. */
export function Filters({ query, onChange }: { query: UsageQuery; onChange: Change }) {
  const t = useText(usage);
  const { self } = useSession();
  return (
    <div class="row row-wide row-wrap usage-filters">
      <SelectField
        label={t('range')}
        value={query.range}
        options={ranges.map((value) => ({ value, text: t(`range.${value}`) }))}
        onValue={(days) => onChange({ days })}
      />
      <RadioSegments
        legend={t('groupBy')}
        value={query.kind}
        segments={dimensions.map((value) => ({ value, content: t(`by.${value}`) }))}
        onValue={(by) => onChange({ by })}
      />
      {query.kind === 'metadata' ? (
        <LateField
          label={t('metadataKey')}
          hint={query.metadataKey === '' ? t('metadataHint') : undefined}
          value={query.metadataKey}
          onValue={(key) => onChange({ by: key === '' ? 'metadata' : `metadata.${key}` })}
        />
      ) : null}
      {self.operator ? (
        <LateField label={t('tenant')} value={query.tenant} onValue={(tenant) => onChange({ tenant })} />
      ) : null}
    </div>
  );
}

/** A field that reports its text after Enter, or when it loses the focus. It follows the address, also back and forward. */
function LateField(props: {
  label: string;
  hint?: string | undefined;
  value: string;
  onValue: (value: string) => void;
}) {
  const [text, setText] = useState(props.value);
  useEffect(() => setText(props.value), [props.value]);
  const report = () => {
    if (text.trim() !== props.value) props.onValue(text.trim());
  };
  return (
    <TextField
      label={props.label}
      hint={props.hint}
      value={text}
      onValue={setText}
      input={{
        onBlur: report,
        onKeyDown: (event) => {
          if (event.key === 'Enter') report();
        },
      }}
    />
  );
}
