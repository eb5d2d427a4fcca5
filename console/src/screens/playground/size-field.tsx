import { FieldError, TextField } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { RadioSegments, type Segment } from '../../components/segmented.tsx';
import { useText } from '../../lib/settings.ts';
import { customSizeFault, type SizeFault } from './form.ts';
import type { FormProps } from './form-props.ts';
import { texts } from './texts.ts';

/** The size: the sizes of the model, and a free one if the model allows it. */
export function SizeField({ form, change, model, errors }: FormProps) {
  const t = useText(texts);
  const segments = segmentsOf(model, t);
  const fault = form.size === 'custom' ? customSizeFault(form, model) : null;
  return (
    <div class="stack stack-sm">
      <RadioSegments
        legend={t('size')}
        value={form.size}
        onValue={(size) => change({ size })}
        segments={segments}
        isTall
      />
      {form.size === 'custom' ? <Edges form={form} change={change} /> : null}
      {fault ? (
        <FieldError text={faultText(fault, t)} />
      ) : errors.has('/size') ? (
        <FieldError text={errors.get('/size') ?? ''} />
      ) : null}
    </div>
  );
}

function segmentsOf(
  model: FormProps['model'],
  t: ReturnType<typeof useText<keyof typeof texts.en>>,
): Segment[] {
  const sizes = (model?.sizes ?? []).filter((size) => size !== 'auto');
  return [
    { value: '', content: <Shape name="" title={t('size.auto')} note={t('size.auto.note')} /> },
    ...sizes.map((size) => ({ value: size, content: <SizeShape size={size} /> })),
    ...(model?.free_sizes
      ? [
          {
            value: 'custom',
            content: (
              <>
                <span aria-hidden="true">
                  <Icon name="plus" />
                </span>
                <span class="segment-text">
                  {t('size.custom')}
                  <br />
                  <span class="faint">{t('size.custom.note', { count: model.free_sizes.multiple_of })}</span>
                </span>
              </>
            ),
          },
        ]
      : []),
  ];
}

/** The two edges of a custom size. */
function Edges({ form, change }: Pick<FormProps, 'form' | 'change'>) {
  const t = useText(texts);
  return (
    <div class="field-pair">
      <TextField
        label={t('size.width')}
        value={form.width}
        onValue={(width) => change({ width })}
        input={{ inputMode: 'numeric' }}
        isNumber
      />
      <TextField
        label={t('size.height')}
        value={form.height}
        onValue={(height) => change({ height })}
        input={{ inputMode: 'numeric' }}
        isNumber
      />
    </div>
  );
}

function SizeShape({ size }: { size: string }) {
  const t = useText(texts);
  const [width = 0, height = 0] = size.split('x').map(Number);
  const name = width === height ? 'square' : width > height ? 'wide' : 'tall';
  return <Shape name={name} title={t(`size.${name}`)} note={`${width} × ${height}`} />;
}

function Shape({ name, title, note }: { name: string; title: string; note: string }) {
  const ratio = name === 'wide' ? 'ratio ratio-wide' : name === 'tall' ? 'ratio ratio-tall' : 'ratio';
  return (
    <>
      <span class={name === '' ? 'ratio ratio-auto' : ratio} aria-hidden="true" />
      <span class="segment-text">
        {title}
        <br />
        <span class="faint num">{note}</span>
      </span>
    </>
  );
}

function faultText(fault: SizeFault, t: ReturnType<typeof useText<keyof typeof texts.en>>): string {
  if (fault.kind === 'number') return t('size.fault.number');
  if (fault.kind === 'multiple') {
    return t('size.fault.multiple', { of: fault.of, below: fault.below, above: fault.above });
  }
  if (fault.kind === 'edge') return t('size.fault.edge', { max: fault.max });
  if (fault.kind === 'ratio') return t('size.fault.ratio', { max: fault.max });
  return t('size.fault.pixels', { min: fault.min, max: fault.max });
}
