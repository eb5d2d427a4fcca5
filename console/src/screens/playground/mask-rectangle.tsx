import { useState } from 'preact/hooks';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { useText } from '../../lib/settings.ts';
import { rectangleFrom, type Size } from './mask-shapes.ts';
import { texts } from './texts.ts';

const names = ['x', 'y', 'width', 'height'] as const;

interface Props {
  readonly size: Size;
  readonly onAdd: (shape: NonNullable<ReturnType<typeof rectangleFrom>>) => void;
}

/** A rectangle by numbers, for users of the keyboard. */
export function RectangleFields({ size, onAdd }: Props) {
  const t = useText(texts);
  const [values, setValues] = useState({
    x: '0',
    y: '0',
    width: String(Math.round(size.width / 2)),
    height: String(Math.round(size.height / 2)),
  });
  const shape = rectangleFrom(values, size);
  return (
    <fieldset class="field">
      <legend class="label">{t('mask.rectangle.legend', { width: size.width, height: size.height })}</legend>
      <div class="mask-numbers">
        {names.map((name) => (
          <TextField
            key={name}
            label={t(`mask.rectangle.${name}`)}
            value={values[name]}
            onValue={(value) => setValues((before) => ({ ...before, [name]: value }))}
            input={{ inputMode: 'numeric' }}
            isNumber
          />
        ))}
        <Button isDisabled={shape === null} onClick={() => shape && onAdd(shape)}>
          {t('mask.rectangle.add')}
        </Button>
      </div>
    </fieldset>
  );
}
